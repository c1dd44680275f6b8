#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace muster::data {

// Whether a data server that has started may be relied on: it serves what it leads, and has a whole
// copy of what it follows, so that the next one may be restarted. What comes to it later does not
// count: copies that move are given up elsewhere only when they are synced here.
//
//   behind --nothing is missing, or what is comes no nearer for `patience`--> over, for this life
//
// A leader that cannot be reached, because it starts after this node or not at all, would otherwise
// be waited for for ever. Pure. Loop thread only.
class CatchUp {
public:
    // What is missing now.
    struct Missing {
        bool table = false;     // none is known
        bool versions = false;  // none may be given: no ceiling, or a disk that has not answered
        std::size_t lost = 0;   // slots to be led, whose copies are being fetched
        std::size_t followed = 0;
        std::size_t unsynced = 0;        // of these
        std::set<NodeId> of;             // who lead them
        std::uint64_t parts_loaded = 0;  // of images, in all
    };

    explicit CatchUp(Duration patience) : patience_(patience) {}

    // To be told at every tick, and when something changes, until it is over.
    void look(const Missing& missing, MonoTime now);

    [[nodiscard]] bool over() const {
        return over_;
    }
    // It is over although something is missing.
    [[nodiscard]] bool gave_up() const {
        return over_ && !waits_for_.empty();
    }
    // What is missing, for people; empty: nothing.
    [[nodiscard]] const std::string& waits_for() const {
        return waits_for_;
    }

    // After a pause of our own.
    void extend(Duration gap) {
        nearer_ += gap;
    }

private:
    Duration patience_;
    bool over_ = false;
    std::string waits_for_ = "no slot table is known yet: no meta server has answered";
    bool waits_for_leaders_ = false;
    std::size_t unsynced_ = 0;  // the fewest so far
    std::uint64_t parts_loaded_ = 0;
    MonoTime nearer_;  // when it came nearer last
};

}  // namespace muster::data
