#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "msg/client.h"

namespace muster::client {

// Names one wish of a client; the number in its registration id.
using WishId = std::uint64_t;

// Which wishes the server has yet to be told, which are on their way and which it has answered.
//
//   waiting --sent--> sent --answered--> done
//      ^               |  |                |
//      |               |  +--refused--> resting or done
//      +---- lost -----+                   |
//      +---- changed, reconnected, woken --+
//
// What is changed while on its way waits again, and the answer to its older state is not taken as
// one to the newer: an answer counts for the request that carried the wish last. Loop thread only.
class Deliveries {
public:
    // From any state, also of a new wish.
    void wait(WishId wish);
    void wait_all();
    void erase(WishId wish);

    void sent(WishId wish, msg::RequestId request);
    [[nodiscard]] bool is_carried_by(WishId wish, msg::RequestId request) const;
    void done(WishId wish);
    // Refused for a passing reason: until wake().
    void rest(WishId wish);
    void wake();

    [[nodiscard]] const std::set<WishId>& waiting() const {
        return waiting_;
    }
    [[nodiscard]] bool has_resting() const {
        return !resting_.empty();
    }
    [[nodiscard]] std::size_t unanswered() const {
        return waiting_.size() + resting_.size() + sent_.size();
    }

private:
    std::set<WishId> waiting_;
    std::set<WishId> resting_;
    std::map<WishId, msg::RequestId> sent_;
    std::set<WishId> done_;
};

}  // namespace muster::client
