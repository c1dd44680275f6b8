#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "raft/membership.h"
#include "raft/raft_core.h"

namespace muster::raft {
namespace {

// A learner so close to the end of the log may vote (thesis 4.2.1, in entries instead of rounds).
constexpr std::uint64_t kCaughtUpEntries = 256;

}  // namespace

// ---- who is sent what

void RaftCore::follow_membership() {
    const Membership& membership = log_.membership();
    std::erase_if(followers_,
                  [&](const auto& known) { return !is_member(membership, known.first); });
    for (const auto* nodes : {&membership.voters, &membership.learners}) {
        for (const NodeId& node : *nodes) {
            if (node != options_.node) {
                followers_.try_emplace(node, next(log_.last()), options_.window);
            }
        }
    }
}

void RaftCore::heartbeat() {
    for (auto& [node, follower] : followers_) {
        follower.on_heartbeat();
        send_heartbeat(node, follower);
        send_entries(node, follower);
    }
    if (handover_) {
        advance_transfer();
    }
    arm(CoreTimer::heartbeat, options_.heartbeat_interval);
}

void RaftCore::send_heartbeat(const NodeId& to, Progress& follower) {
    // Behind what the follower is known to have when the log does not say what comes next.
    LogIndex prev = prior(follower.next());
    if (follower.state() == Progress::State::snapshot || !log_.term_at(prev)) {
        prev = LogIndex();
    }
    send(to, AppendRequest{.prev_index = prev,
                           .prev_term = log_.term_at(prev).value_or(Term()),
                           .commit = commit_,
                           .round = round_,
                           .last = log_.last(),
                           .life = follower.life(),
                           .entries = {}});
}

void RaftCore::send_entries(const NodeId& to, Progress& follower) {
    // Asked first: what is in flight may be lost, and its answer is all that a full window waits
    // for.
    if (follower.state() != Progress::State::snapshot && prior(follower.next()) < log_.base()) {
        follower.begin_snapshot(snapshot_.index, snapshot_.payload->size());
        snapshots_sent_.add();
    }
    while (follower.may_send() && follower.next() <= log_.last()) {
        const LogIndex prev = prior(follower.next());
        const std::optional<Term> prev_term = log_.term_at(prev);
        CHECK(prev_term.has_value());
        AppendRequest request{.prev_index = prev,
                              .prev_term = *prev_term,
                              .commit = commit_,
                              .round = round_,
                              .last = log_.last(),
                              .life = follower.life(),
                              .entries = {}};
        std::size_t bytes = 0;
        LogIndex at = follower.next();
        for (; at <= log_.last() && request.entries.size() < options_.append_entries_max;
             at = next(at)) {
            const Entry& entry = log_.at(at);
            if (!request.entries.empty() && bytes + cost_of(entry) > options_.append_bytes_max) {
                break;
            }
            bytes += cost_of(entry);
            request.entries.push_back(entry);
        }
        send(to, std::move(request));
        follower.on_sent(prior(at), bytes);
    }
    if (follower.state() == Progress::State::snapshot) {
        send_chunks(to, follower);
    }
}

void RaftCore::send_chunks(const NodeId& to, Progress& follower) {
    if (follower.transfer().index != snapshot_.index) {
        follower.begin_snapshot(snapshot_.index,
                                snapshot_.payload->size());  // a newer one was taken meanwhile
        snapshots_sent_.add();
    }
    const std::string& payload = *snapshot_.payload;
    while (const auto offset = follower.next_chunk(options_.chunk_bytes)) {
        std::string bytes = payload.substr(*offset, options_.chunk_bytes);
        const std::uint64_t end = *offset + bytes.size();
        send(to, SnapshotChunk{.index = snapshot_.index,
                               .index_term = snapshot_.term,
                               .total = payload.size(),
                               .crc = snapshot_.crc,
                               .offset = *offset,
                               .round = round_,
                               .bytes = std::move(bytes)});
        follower.on_chunk_sent(end);
    }
}

// ---- what they answer

bool RaftCore::heard(Progress& follower, std::uint64_t round, std::uint64_t life) {
    if (!follower.on_life(life)) {
        dropped_.add();
        return false;
    }
    follower.active = true;
    follower.round = std::max(follower.round, std::min(round, round_));
    return true;
}

void RaftCore::on_append_reply(const Message& message, const AppendReply& reply) {
    if (message.term > hard_.term) {
        step_down(message.term, NodeId());
        return;
    }
    const auto found = followers_.find(message.from);
    if (message.term != hard_.term || role_ != Role::leader || found == followers_.end()) {
        return;
    }
    Progress& follower = found->second;
    if (!heard(follower, reply.round, reply.life)) {
        return;
    }
    follower.doubt = reply.doubt;
    if (!reply.accepted) {
        if (reply.refused_prev.raw() > 0) {
            follower.on_refused(reply.refused_prev,
                                log_.last_with_term_at_most(reply.match, reply.hint_term));
        }
    } else if (reply.match <= log_.last() && follower.on_accepted(reply.match)) {
        advance_commit();  // may end the reign
    }
    if (role_ == Role::leader) {
        close_round();
        advance_transfer();
    }
}

void RaftCore::on_snapshot_reply(const Message& message, const SnapshotReply& reply) {
    if (message.term > hard_.term) {
        step_down(message.term, NodeId());
        return;
    }
    const auto found = followers_.find(message.from);
    if (message.term != hard_.term || role_ != Role::leader || found == followers_.end()) {
        return;
    }
    if (heard(found->second, reply.round, reply.life)) {
        found->second.on_chunk_reply(reply.index, reply.offset);
        close_round();
    }
}

void RaftCore::advance_commit() {
    const std::vector<NodeId>& voters = log_.membership().voters;
    std::vector<LogIndex> durable;
    for (const NodeId& node : voters) {
        const auto follower = followers_.find(node);
        if (node == options_.node) {
            durable.push_back(durable_);
        } else {
            durable.push_back(follower == followers_.end() ? LogIndex() : follower->second.match());
        }
    }
    std::sort(durable.begin(), durable.end(), std::greater<>());
    const LogIndex agreed = durable[majority(voters.size()) - 1];
    // Entries of earlier terms are agreed with the first of this one, never by counting.
    if (agreed > commit_ && log_.term_at(agreed) == hard_.term) {
        set_commit(agreed);
    }
}

// ---- requests

Result<void> RaftCore::may_propose() const {
    if (role_ != Role::leader) {
        return fail(Errc::not_leader, leader_.raw().empty() ? "the leader is not known"
                                                            : "the leader is " + leader_.raw());
    }
    if (!reign_announced_) {
        return fail(Errc::not_ready, "this leader has not agreed on anything yet");
    }
    if (handover_) {
        return fail(Errc::not_ready, "the leadership is being handed to " + handover_->to.raw());
    }
    return {};
}

LogIndex RaftCore::append_own(EntryKind kind, SharedBytes data) {
    const LogIndex index = next(log_.last());
    log_.append({.term = hard_.term, .index = index, .kind = kind, .data = std::move(data)});
    uncommitted_bytes_ += cost_of(log_.at(index));
    return index;
}

Result<LogIndex> RaftCore::propose(SharedBytes command) {
    if (auto may = may_propose(); !may) {
        return std::unexpected(std::move(may).error());
    }
    if (log_.last().raw() - applied_.raw() >= options_.uncommitted_max ||
        uncommitted_bytes_ + command->size() > options_.uncommitted_bytes_max) {
        return fail(Errc::over_limit, "too many commands wait to be agreed");
    }
    return append_own(EntryKind::command, std::move(command));
}

Result<LogIndex> RaftCore::change(const Membership& requested) {
    if (auto may = may_propose(); !may) {
        return std::unexpected(std::move(may).error());
    }
    // may_propose() stands for an agreed entry of this term: Ongaro's note on the thesis, 2015.
    if (log_.membership_index() > commit_) {
        return fail(Errc::busy, "another change of the members is under way");
    }
    const Membership wanted = normalised(requested);
    auto node = single_step(log_.membership(), wanted);
    if (!node) {
        return std::unexpected(std::move(node).error());
    }
    if (*node == options_.node) {
        // A leader that is no voter would lead what it does not count in (thesis 4.2.2).
        const auto to = successor(wanted);
        if (!to) {
            return fail(Errc::unavailable, "no other voter was heard of lately that could lead");
        }
        MUSTER_TRY(transfer(*to));
        return fail(Errc::not_leader, "the leadership is being handed to '" + to->raw() +
                                          "', which can carry out the change");
    }
    if (is_voter(wanted, *node)) {
        const Progress& learner = followers_.at(*node);
        // One in doubt would be a voter that does not vote: without this leader nobody could be
        // elected, and without a leader the doubt does not end.
        if (!learner.there() || learner.match().raw() + kCaughtUpEntries < log_.last().raw() ||
            learner.match() < reign_begin_) {
            return fail(Errc::unavailable, "'" + node->raw() + "' has not caught up");
        }
    }
    std::size_t active = 1;
    for (const NodeId& voter : wanted.voters) {
        const auto follower = followers_.find(voter);
        active += follower != followers_.end() && follower->second.there();
    }
    if (active < majority(wanted.voters.size())) {
        return fail(Errc::unavailable, fmt::format("of the {} voters then only {} are there",
                                                   wanted.voters.size(), active));
    }
    const LogIndex index = append_own(
        EntryKind::membership, std::make_shared<const std::string>(encode_membership(wanted)));
    follow_membership();
    return index;
}

// ---- reads (thesis 6.4)

Result<void> RaftCore::read_barrier(Ticket ticket) {
    if (auto may = may_propose(); !may && !(role_ == Role::leader && reign_announced_)) {
        return std::unexpected(std::move(may).error());
    }
    if (next_reads_.size() + round_reads_.size() + confirmed_reads_.size() >= options_.reads_max) {
        return fail(Errc::over_limit, "too many reads wait for a majority");
    }
    next_reads_.push_back(ticket);
    if (!round_open_) {
        open_round();
    }
    return {};
}

void RaftCore::open_round() {
    ++round_;
    round_open_ = true;
    round_index_ = commit_;
    round_reads_ = std::exchange(next_reads_, {});
    for (auto& [node, follower] : followers_) {
        send_heartbeat(node, follower);
    }
    close_round();
}

void RaftCore::close_round() {
    const std::vector<NodeId>& voters = log_.membership().voters;
    while (round_open_) {
        std::size_t confirmed = 0;
        for (const NodeId& node : voters) {
            const auto follower = followers_.find(node);
            confirmed += node == options_.node ||
                         (follower != followers_.end() && follower->second.round >= round_);
        }
        if (confirmed < majority(voters.size())) {
            return;
        }
        for (const Ticket ticket : round_reads_) {
            confirmed_reads_.push_back({ticket, round_index_});
        }
        round_reads_.clear();
        round_open_ = false;
        answer_reads();
        if (!next_reads_.empty()) {
            open_round();
        }
    }
}

void RaftCore::answer_reads() {
    while (!confirmed_reads_.empty() && confirmed_reads_.front().index <= applied_) {
        effects_.readable.push_back(confirmed_reads_.front());
        confirmed_reads_.pop_front();
    }
}

void RaftCore::drop_reads() {
    for (const auto* reads : {&round_reads_, &next_reads_}) {
        effects_.unreadable.insert(effects_.unreadable.end(), reads->begin(), reads->end());
    }
    for (const Effects::Readable& read : confirmed_reads_) {
        effects_.unreadable.push_back(read.ticket);
    }
    round_reads_.clear();
    next_reads_.clear();
    confirmed_reads_.clear();
    round_open_ = false;
}

// ---- handing over (thesis 3.10)

Result<void> RaftCore::transfer(const NodeId& to) {
    if (role_ != Role::leader) {
        return std::unexpected(may_propose().error());
    }
    if (handover_) {
        return fail(Errc::busy, "the leadership is being handed to " + handover_->to.raw());
    }
    if (to == options_.node || !is_voter(log_.membership(), to)) {
        return fail(Errc::refused, "'" + to.raw() + "' is not another voter");
    }
    if (!followers_.at(to).there()) {
        return fail(Errc::unavailable,
                    "'" + to.raw() + "' was not heard of lately or does not vote yet");
    }
    handover_ = Handover{.to = to, .term = hard_.term};
    arm(CoreTimer::transfer, options_.election_timeout * 2);
    advance_transfer();
    return {};
}

std::optional<NodeId> RaftCore::successor(const Membership& among) const {
    std::optional<NodeId> best;
    for (const auto& [node, follower] : followers_) {
        if (is_voter(among, node) && is_voter(log_.membership(), node) && follower.there() &&
            (!best || follower.match() > followers_.at(*best).match())) {
            best = node;
        }
    }
    return best;
}

void RaftCore::advance_transfer() {
    if (!handover_ || role_ != Role::leader) {
        return;
    }
    const auto follower = followers_.find(handover_->to);
    if (follower != followers_.end() && follower->second.match() == log_.last()) {
        send(handover_->to, TimeoutNow{});
    }
}

void RaftCore::end_transfer(bool done) {
    if (handover_) {
        handover_.reset();
        arm(CoreTimer::transfer, Duration::zero());
        effects_.timers.back().delay.reset();
        effects_.transferred = done;
    }
}

}  // namespace muster::raft
