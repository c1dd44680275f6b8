#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/ids.h"
#include "model/publication.h"
#include "store/write.h"

namespace muster::store {

// A session that holds a publication beside the one that owns it, and the state it holds.
struct Holder {
    PublicationPtr publication;
    OwnerId owner;
    std::uint64_t owner_seq = 0;
};

// Who else holds publications: a client that moved is still held by the session it came from, one
// behind a load balancer by every session that it reached within its lease. Loop thread only.
// Bounds: kMax of one publication; the one that came first is forgotten, and found to be different
// when it compares.
class OtherHolders {
public:
    static constexpr std::size_t kMax = 32;

    [[nodiscard]] bool any(const RegistId& id) const {
        return holders_.contains(id);
    }
    // Null when it holds none. Until the next change.
    [[nodiscard]] const Holder* find(const RegistId& id, OwnerId owner) const;

    // Adds a holder, in place of what it held before. Returns who is forgotten for it, or was
    // replaced.
    std::optional<Holder> add(Holder holder);
    std::optional<Holder> remove(const RegistId& id, OwnerId owner);
    // The one that holds the newest state.
    std::optional<Holder> take_newest(const RegistId& id);
    using Which = std::function<bool(const Holder&)>;
    std::vector<Holder> remove_if(const RegistId& id, const Which& which);

    // Visits what `owner` holds.
    void for_each_of(OwnerId owner, const std::function<void(const Holder&)>& visit) const;

private:
    std::unordered_map<RegistId, std::vector<Holder>> holders_;  // none empty
};

}  // namespace muster::store
