#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "model/datum.h"
#include "model/subscription.h"

namespace muster::doors {

// What a push told, for its answer.
struct UnansweredPush {
    ServicePtr service;
    Scope scope = Scope::zone;
    std::string zone;
    Version version;
    bool is_config = false;
};

// The newest push of each list of one connection that the client has not answered yet. Bound: the
// lists of the connection.
class UnansweredPushes {
public:
    UnansweredPushes() = default;
    UnansweredPushes(UnansweredPushes&&) = default;  // map nodes stay where they are
    UnansweredPushes& operator=(UnansweredPushes&&) = default;

    // Takes the place of an earlier push of the same list, whose answer will not be known any more.
    void add(std::int32_t request_id, UnansweredPush push);

    // Takes it out; nullopt when it is not known.
    [[nodiscard]] std::optional<UnansweredPush> take(std::int32_t request_id);

    [[nodiscard]] std::size_t size() const {
        return by_id_.size();
    }

private:
    struct ListOrder {
        bool operator()(const UnansweredPush* a, const UnansweredPush* b) const;
    };

    std::map<std::int32_t, UnansweredPush> by_id_;
    // Compares what is pointed to, which lives in by_id_.
    std::map<const UnansweredPush*, std::int32_t, ListOrder> by_list_;
};

}  // namespace muster::doors
