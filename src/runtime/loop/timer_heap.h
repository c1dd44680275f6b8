#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "env/timers.h"

namespace muster::runtime {

class LoopTimers;

// All armed timers of one loop, earliest first, equal deadlines in the order of arming: a binary
// heap whose entries know their place, so that moving and removing cost O(log n) and no allocation.
// Bounds: as many entries as keys are armed. Loop thread only.
class TimerHeap {
public:
    // Names an armed timer until it is removed or taken.
    using Slot = std::uint32_t;

    struct Due {
        LoopTimers* owner = nullptr;
        env::TimerKey key;
    };

    [[nodiscard]] Slot add(MonoTime deadline, LoopTimers& owner, env::TimerKey key);
    void move(Slot slot, MonoTime deadline);
    void remove(Slot slot);

    // Numbers the next arming; take_due() leaves out what was armed from there on.
    [[nodiscard]] std::uint64_t next_seq() const {
        return next_seq_;
    }

    // Takes the earliest timer when its deadline is not after `now` and it was armed before
    // `before_seq`.
    [[nodiscard]] std::optional<Due> take_due(MonoTime now, std::uint64_t before_seq);

    [[nodiscard]] std::optional<MonoTime> earliest() const;
    [[nodiscard]] std::size_t size() const {
        return heap_.size();
    }

private:
    struct Node {
        MonoTime deadline;
        std::uint64_t seq = 0;
        Slot slot = 0;
    };
    struct Entry {
        std::size_t place = 0;
        Due due;
    };

    [[nodiscard]] static bool earlier(const Node& a, const Node& b) {
        return a.deadline != b.deadline ? a.deadline < b.deadline : a.seq < b.seq;
    }
    void put(std::size_t place, const Node& node);
    void sift_up(std::size_t place, const Node& node);
    void sift_down(std::size_t place, const Node& node);
    void remove_at(std::size_t place);

    std::vector<Node> heap_;
    std::vector<Entry> entries_;
    std::vector<Slot> free_;
    std::uint64_t next_seq_ = 0;
};

}  // namespace muster::runtime
