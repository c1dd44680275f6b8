#include "apps/muster/bench/spreading_changes.h"

namespace muster::cli::bench {

void SpreadingChanges::begin(std::uint32_t entry, std::uint32_t version, Duration due) {
    ways_[entry].push_back({.version = version, .left = subscribers_, .due = due});
    ++open_;
    ++begun_;
}

void SpreadingChanges::shown(std::uint32_t entry, std::uint32_t from, std::uint32_t to,
                             Duration at) {
    if (entry >= ways_.size()) {
        return;
    }
    auto& way = ways_[entry];
    for (Change& change : way) {
        if (change.version > to) {
            break;
        }
        if (change.version <= from) {
            continue;
        }
        to_each_.add(at - change.due);
        if (on_shown_) {
            on_shown_(change.due, at);
        }
        if (--change.left == 0) {
            to_last_.add(at - change.due);
            --open_;
        }
    }
    while (!way.empty() && way.front().left == 0) {
        way.pop_front();
    }
}

}  // namespace muster::cli::bench
