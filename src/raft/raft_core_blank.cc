#include <algorithm>

#include "raft/membership.h"
#include "raft/raft_core.h"

// How a node begins whose folder was empty. Whatever an earlier life of it promised, it promised to
// one of the other voters, in a term that one had written down before it asked. So when all of them
// have told their terms, this node knows one that is not below any it acted in, and may follow; it
// votes again when it holds what a leader has. When none of them holds anything, nothing was ever
// agreed that is not lost for good: a group begins.
namespace muster::raft {

std::vector<NodeId> RaftCore::unheard() const {
    std::vector<NodeId> nodes;
    if (standing() == Standing::blank) {
        std::copy_if(log_.membership().voters.begin(), log_.membership().voters.end(),
                     std::back_inserter(nodes), [&](const NodeId& node) {
                         return node != options_.node && !pasts_.contains(node);
                     });
    }
    return nodes;
}

void RaftCore::ask_past() {
    const std::vector<NodeId> nodes = unheard();
    if (nodes.empty()) {
        end_blank();
        return;
    }
    for (const NodeId& node : nodes) {
        send(node, PastRequest{.life = hard_.life});
    }
    arm(CoreTimer::heartbeat, options_.heartbeat_interval);
}

void RaftCore::on_past_request(const Message& message, const PastRequest& request) {
    // Who lost what it held does not know that it was nothing.
    const bool nothing = log_.last() == LogIndex() && standing() != Standing::doubtful;
    send(message.from, PastReply{.life = request.life, .nothing = nothing});
}

void RaftCore::on_past_reply(const Message& message, const PastReply& reply) {
    if (standing() != Standing::blank || reply.life != hard_.life ||
        !is_voter(log_.membership(), message.from)) {
        dropped_.add();
        return;
    }
    pasts_[message.from] = {.term = message.term, .nothing = reply.nothing};
    if (unheard().empty()) {
        end_blank();
    }
}

void RaftCore::end_blank() {
    Term newest;
    bool begins = true;
    for (const auto& [node, past] : pasts_) {
        newest = std::max(newest, past.term);
        begins = begins && past.nothing;
    }
    pasts_.clear();
    if (!begins) {
        hard_.term = std::max(newest, Term(1));  // not blank, whoever answers
    } else {
        hard_.doubt = false;
        // In the term of another one a lost vote may have been given.
        hard_.term = newest == Term() ? newest : Term(newest.raw() + 1);
    }
    write_hard();
    listen();
    if (begins) {
        // The others find out within a heartbeat; then one of them asks first.
        const auto spread = static_cast<std::uint64_t>(options_.election_timeout.count()) / 4;
        arm(CoreTimer::election, options_.heartbeat_interval +
                                     Duration(static_cast<Duration::rep>(prng_.below(spread))));
    }
}

}  // namespace muster::raft
