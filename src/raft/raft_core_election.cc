#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/membership.h"
#include "raft/raft_core.h"

namespace muster::raft {
namespace {

// Elections that failed in a row make the next wait longer, so that disks slower than the election
// timeout can still vote; at most so many times doubled.
constexpr unsigned kBackoffMax = 4;

}  // namespace

void RaftCore::listen() {
    hears_leader_ = role_ == Role::follower && !leader_.raw().empty();
    Duration wait = options_.election_timeout;
    if (!hears_leader_) {
        wait *= 1U << std::min(failed_elections_, kBackoffMax);
        wait += Duration(static_cast<Duration::rep>(
            prng_.below(static_cast<std::uint64_t>(options_.election_timeout.count()))));
    }
    arm(CoreTimer::election, wait);
}

void RaftCore::on_election_timer() {
    if (role_ == Role::leader) {
        check_quorum();
        return;
    }
    if (hears_leader_) {
        // From now on others are heard; this node waits for some time, unlike all others.
        hears_leader_ = false;
        arm(CoreTimer::election,
            Duration(static_cast<Duration::rep>(
                prng_.below(static_cast<std::uint64_t>(options_.election_timeout.count())))));
        return;
    }
    campaign();
}

void RaftCore::on_peer_gone(const NodeId& node) {
    if (!hears_leader_ || leader_ != node) {
        return;
    }
    hears_leader_ = false;
    // Everybody notices at the same time; a pre-vote takes far less than this wait.
    arm(CoreTimer::election,
        Duration(static_cast<Duration::rep>(
            prng_.below(static_cast<std::uint64_t>(options_.election_timeout.count()) / 4))));
}

void RaftCore::step_down(Term term, const NodeId& leader) {
    const bool newer = term > hard_.term;
    CHECK(term >= hard_.term);
    if (newer) {
        hard_.term = term;
        hard_.vote = NodeId();
        write_hard();
    }
    if (newer || leader != leader_) {
        verified_ = commit_;
        heard_round_ = 0;
        owes_reply_ = false;
        doubt_until_.reset();
        incoming_.reset();
    }
    const Role before = std::exchange(role_, Role::follower);
    leader_ = leader;
    if (before == Role::leader) {
        followers_.clear();
        drop_reads();
        arm(CoreTimer::heartbeat, Duration::zero());
        effects_.timers.back().delay.reset();
        effects_.reigns.push_back({.leads = false, .term = hard_.term});
        reign_announced_ = false;
    }
    if (handover_ && hard_.term > handover_->term && !leader.raw().empty()) {
        end_transfer(leader == handover_->to);
    }
    if (before != Role::follower || !leader.raw().empty()) {
        listen();
    }
}

bool RaftCore::electable() const {
    if (hard_.doubt || broken_ || retired_) {
        return false;
    }
    // While its demotion is not agreed this node may be the only one whose log the others accept
    // (thesis 4.2.2, figure 4.6). It needs a majority of those named in it, and does not count.
    const bool voted = log_.membership_index() > commit_ &&
                       is_voter(log_.membership_at(prior(log_.membership_index())), options_.node);
    return voted || is_voter(log_.membership(), options_.node);
}

void RaftCore::campaign() {
    leader_ = NodeId();
    if (!electable() || hard_pending()) {
        role_ = Role::follower;
        listen();
        return;
    }
    role_ = Role::pre_candidate;
    votes_ = {options_.node};
    listen();
    request_votes(true, false);
    count_votes();
}

void RaftCore::begin_election(bool transfer) {
    elections_.add();
    ++failed_elections_;
    role_ = Role::candidate;
    leader_ = NodeId();
    verified_ = commit_;
    doubt_until_.reset();
    incoming_.reset();
    owes_reply_ = false;
    hard_.term = Term(hard_.term.raw() + 1);
    hard_.vote = options_.node;
    votes_.clear();  // its own counts when it is durable
    write_hard();
    listen();
    request_votes(false, transfer);
}

void RaftCore::request_votes(bool pre, bool transfer) {
    const Term term(hard_.term.raw() + (pre ? 1 : 0));
    for (const NodeId& node : log_.membership().voters) {
        if (node != options_.node) {
            send(node, term,
                 VoteRequest{.pre = pre,
                             .transfer = transfer,
                             .last_index = log_.last(),
                             .last_term = log_.last_term()});
        }
    }
}

void RaftCore::count_votes() {
    const std::vector<NodeId>& voters = log_.membership().voters;
    const auto count = static_cast<std::size_t>(std::count_if(
        voters.begin(), voters.end(), [&](const NodeId& node) { return votes_.contains(node); }));
    if (count < majority(voters.size())) {
        return;
    }
    if (role_ == Role::pre_candidate) {
        begin_election(false);
    } else if (role_ == Role::candidate) {
        lead();
    }
}

void RaftCore::lead() {
    CHECK(!hard_pending());
    reigns_.add();
    role_ = Role::leader;
    leader_ = options_.node;
    followers_.clear();
    round_ = 0;
    round_open_ = false;
    reign_announced_ = false;
    uncommitted_bytes_ = 0;
    end_transfer(false);
    reign_begin_ = append_own(EntryKind::barrier, nullptr);
    follow_membership();
    arm(CoreTimer::election, options_.election_timeout);
    write_entries();
    heartbeat();
    advance_commit();
}

void RaftCore::check_quorum() {
    std::size_t active = 0;
    for (const NodeId& node : log_.membership().voters) {
        const auto follower = followers_.find(node);
        active +=
            node == options_.node || (follower != followers_.end() && follower->second.active);
    }
    if (active < majority(log_.membership().voters.size())) {
        step_down(hard_.term, NodeId());
        return;
    }
    for (auto& [node, follower] : followers_) {
        follower.active_before = std::exchange(follower.active, false);
    }
    arm(CoreTimer::election, options_.election_timeout);
}

bool RaftCore::at_least_as_new(LogIndex last, Term last_term) const {
    return last_term > log_.last_term() || (last_term == log_.last_term() && last >= log_.last());
}

void RaftCore::on_vote_request(const Message& message, const VoteRequest& request) {
    const bool led = role_ == Role::leader || hears_leader_;
    const bool may_vote = !hard_.doubt && at_least_as_new(request.last_index, request.last_term);
    if (request.pre) {
        const bool grant = !led && may_vote && message.term > hard_.term;
        // A refusal tells this node's term: who is behind takes it and can ask for the next one.
        send(message.from, grant ? message.term : hard_.term,
             VoteReply{.pre = true, .granted = grant});
        return;
    }
    if (message.term > hard_.term) {
        if (led && !request.transfer) {
            return;  // thesis 4.2.3
        }
        step_down(message.term, NodeId());
    }
    const bool grant = message.term == hard_.term && may_vote && leader_.raw().empty() &&
                       (hard_.vote.raw().empty() || hard_.vote == message.from);
    if (grant) {
        role_ = Role::follower;
        if (hard_.vote.raw().empty()) {
            hard_.vote = message.from;
            write_hard();
        }
        listen();
    }
    send(message.from, VoteReply{.pre = false, .granted = grant});
}

void RaftCore::on_vote_reply(const Message& message, const VoteReply& reply) {
    if (!reply.granted) {
        if (message.term > hard_.term) {
            step_down(message.term, NodeId());
        }
        return;
    }
    const bool awaited =
        reply.pre ? role_ == Role::pre_candidate && message.term.raw() == hard_.term.raw() + 1
                  : role_ == Role::candidate && message.term == hard_.term;
    if (awaited) {
        votes_.insert(message.from);
        if (reply.pre || !hard_pending()) {
            count_votes();
        }
    }
}

void RaftCore::on_timeout_now(const Message& message) {
    if (message.term == hard_.term && role_ == Role::follower && leader_ == message.from &&
        electable()) {
        begin_election(true);
    }
}

}  // namespace muster::raft
