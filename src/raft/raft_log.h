#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "raft/messages.h"

namespace muster::raft {

[[nodiscard]] inline LogIndex next(LogIndex index) {
    return LogIndex(index.raw() + 1);
}
// Requires: index > 0.
[[nodiscard]] inline LogIndex prior(LogIndex index) {
    return LogIndex(index.raw() - 1);
}

// The entries after a base in memory, and which membership holds where. Part of the core; what is
// durable of it the core knows. Loop thread only.
//
// Bounds: none of its own; the core refuses proposals and messages when it holds too much.
// Invariants: 1. no gaps; 2. terms never fall; 3. the newest membership is that of the last
// membership entry, or that of the base (thesis 4.1: used as soon as it is in the log).
class RaftLog {
public:
    RaftLog() = default;

    // Begins anew after `index`.
    void reset(LogIndex index, Term term, Membership membership);

    [[nodiscard]] LogIndex base() const {
        return base_;
    }
    [[nodiscard]] LogIndex last() const {
        return LogIndex(base_.raw() + entries_.size());
    }
    [[nodiscard]] Term last_term() const;
    // Nothing: before the base or after the end.
    [[nodiscard]] std::optional<Term> term_at(LogIndex index) const;
    // Requires: base < index <= last.
    [[nodiscard]] const Entry& at(LogIndex index) const;

    // Requires: entry.index is next(last()), its term not below last_term(), its data readable when
    // it is a membership.
    void append(Entry entry);
    // Drops `from` and all after. Requires: from > base.
    void truncate(LogIndex from);
    // Forgets entries up to `index`. Requires: base <= index <= last.
    void compact(LogIndex index);

    [[nodiscard]] const Membership& membership() const {
        return memberships_.back().second;
    }
    // Where it stands; the base when it is from there.
    [[nodiscard]] LogIndex membership_index() const {
        return memberships_.back().first;
    }
    // The one that held at `index`. Requires: base <= index.
    [[nodiscard]] const Membership& membership_at(LogIndex index) const;

    // The largest index up to `index` whose term is at most `term`, as far as is known here: the
    // base when there is none after it, `index` when that is before the base.
    [[nodiscard]] LogIndex last_with_term_at_most(LogIndex index, Term term) const;

    [[nodiscard]] std::size_t bytes() const {
        return bytes_;
    }
    // How often entries were dropped from the end: a checker's eye.
    [[nodiscard]] std::uint64_t truncations() const {
        return truncations_;
    }

private:
    [[nodiscard]] std::size_t offset_of(LogIndex index) const;

    LogIndex base_;
    Term base_term_;
    std::deque<Entry> entries_;
    std::vector<std::pair<LogIndex, Membership>> memberships_{{LogIndex(), Membership{}}};
    std::size_t bytes_ = 0;
    std::uint64_t truncations_ = 0;
};

// What an entry costs in memory and messages.
[[nodiscard]] std::size_t cost_of(const Entry& entry);

}  // namespace muster::raft
