#include "raft/raft_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/membership.h"

namespace muster::raft {

std::size_t cost_of(const Entry& entry) {
    constexpr std::size_t kFixed = 32;
    return kFixed + (entry.data ? entry.data->size() : 0);
}

void RaftLog::reset(LogIndex index, Term term, Membership membership) {
    if (last() > base_) {
        ++truncations_;
    }
    base_ = index;
    base_term_ = term;
    entries_.clear();
    bytes_ = 0;
    memberships_.clear();
    memberships_.emplace_back(index, std::move(membership));
}

std::size_t RaftLog::offset_of(LogIndex index) const {
    CHECK(index > base_ && index <= last());
    return index.raw() - base_.raw() - 1;
}

Term RaftLog::last_term() const {
    return entries_.empty() ? base_term_ : entries_.back().term;
}

std::optional<Term> RaftLog::term_at(LogIndex index) const {
    if (index == base_) {
        return base_term_;
    }
    if (index < base_ || index > last()) {
        return std::nullopt;
    }
    return entries_[offset_of(index)].term;
}

const Entry& RaftLog::at(LogIndex index) const {
    return entries_[offset_of(index)];
}

void RaftLog::append(Entry entry) {
    CHECK(entry.index == next(last()) && entry.term >= last_term());
    bytes_ += cost_of(entry);
    if (entry.kind == EntryKind::membership) {
        std::string_view bytes = *entry.data;
        auto membership = take_membership(bytes);
        CHECK_BECAUSE(membership.has_value(), "read when it came in");
        memberships_.emplace_back(entry.index, std::move(*membership));
    }
    entries_.push_back(std::move(entry));
}

void RaftLog::truncate(LogIndex from) {
    const std::size_t keep = offset_of(from);
    while (entries_.size() > keep) {
        bytes_ -= cost_of(entries_.back());
        entries_.pop_back();
    }
    while (memberships_.back().first >= from) {
        memberships_.pop_back();
    }
    ++truncations_;
}

void RaftLog::compact(LogIndex index) {
    if (index == base_) {
        return;
    }
    const Term term = at(index).term;
    Membership membership = membership_at(index);
    const std::size_t drop = offset_of(index) + 1;
    for (std::size_t i = 0; i < drop; ++i) {
        bytes_ -= cost_of(entries_.front());
        entries_.pop_front();
    }
    base_ = index;
    base_term_ = term;
    std::erase_if(memberships_, [&](const auto& held) { return held.first <= index; });
    memberships_.insert(memberships_.begin(), {index, std::move(membership)});
}

const Membership& RaftLog::membership_at(LogIndex index) const {
    CHECK(index >= base_);
    for (auto held = memberships_.rbegin(); held != memberships_.rend(); ++held) {
        if (held->first <= index) {
            return held->second;
        }
    }
    return memberships_.front().second;
}

LogIndex RaftLog::last_with_term_at_most(LogIndex index, Term term) const {
    index = std::min(index, last());
    while (index > base_ && at(index).term > term) {
        index = prior(index);
    }
    return index;
}

}  // namespace muster::raft
