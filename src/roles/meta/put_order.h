#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"
#include "msg/cluster.h"

namespace muster::meta {

// The order of configuration changes. A session asks for a turn before it sends a change, and keeps
// the turn for that change only. Of one key, only what has a later turn than all that was admitted
// is admitted: whoever gave up a change and makes another one gets a later turn for it, from
// whichever session, so that the first one, if it arrives at last, is refused.
//
// In memory only: turns belong to a term of the leader, and a new leader or life gives turns of its
// own and refuses the earlier ones. No clock is read. Bounds: kKeysMax keys; beyond, all turns up
// to the latest admitted one are over. Loop thread only.
class PutOrder {
public:
    static constexpr std::size_t kKeysMax = 10'000;

    // What became of the latest change of a key. Without result: under way.
    using Outcome = std::optional<Result<Version>>;

    // Ends all turns given so far.
    void begin_term(std::uint64_t term);
    [[nodiscard]] msg::PutTurn next_turn();

    // Errors: conflict when the turn is of another term, was never given or is overtaken.
    // Null: admitted now, the caller carries it out. Else this very change was admitted before.
    [[nodiscard]] Result<const Outcome*> admit(std::string_view key, const msg::PutTurn& turn);

    // Remembers what to answer a double with; nothing when another turn came meanwhile.
    void finish(std::string_view key, const msg::PutTurn& turn, const Result<Version>& result);

private:
    struct Latest {
        std::uint64_t number = 0;
        Outcome outcome;
    };

    std::uint64_t term_ = 0;
    std::uint64_t given_ = 0;
    std::uint64_t admitted_ = 0;  // the latest one, of any key
    std::uint64_t over_ = 0;      // turns up to this one are refused
    std::map<std::string, Latest, std::less<>> latest_;
};

}  // namespace muster::meta
