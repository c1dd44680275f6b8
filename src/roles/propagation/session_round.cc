#include "roles/propagation/session_round.h"

#include <algorithm>
#include <utility>

namespace muster::propagation {

NodeId Known::leader_of(const Service& service) const {
    return table.slots.empty() ? NodeId{}
                               : table.slots[slot_of(service, table.slots.size()).raw()].leader;
}

std::set<NodeId> Known::living(Role role) const {
    std::set<NodeId> nodes;
    for (const Member& member : members) {
        if (member.role == role && member.phase != MemberPhase::dead) {
            nodes.insert(member.node);
        }
    }
    return nodes;
}

SessionRound::SessionRound(const Asker& asker, const AskingEnv& env, const AskingOptions& options,
                           msg::ReachRequest question)
    : asker_(asker), env_(env), options_(options), question_(std::move(question)) {
    question_.incarnation = asker_.life;
    question_.asker = asker_.self.node;
    question_.asker_role = asker_.self.role;
}

void SessionRound::begin() {
    const Known known = env_.known();
    const auto data = known.living(Role::data);
    ways_.assign(data.begin(), data.end());
    awaited_ = known.living(Role::session);
    began_ = env_.clock.mono();
    over_ = awaited_.empty();
    ask();
}

MonoTime SessionRound::due() const {
    return std::min(asked_at_ + options_.ask_again, began_ + options_.patience);
}

void SessionRound::on_timer() {
    const MonoTime now = env_.clock.mono();
    if (over_ || now < due()) {
        return;
    }
    over_ = now - began_ >= options_.patience;
    if (!over_) {
        ask();
    }
}

void SessionRound::ask() {
    asked_at_ = env_.clock.mono();
    for (const NodeId& session : awaited_) {
        ask(session);
    }
}

// Sessions have no links to each other: a data server passes it on, another one each time.
void SessionRound::ask(const NodeId& session) {
    msg::ReachRequest question = question_;
    if (asker_.self.role != Role::session || session == asker_.self.node) {
        env_.outbox.send({session, Role::session}, std::move(question));
    } else if (!ways_.empty()) {
        question.session = session;
        env_.outbox.send({ways_[passed_on_++ % ways_.size()], Role::data}, std::move(question));
    }
}

void SessionRound::take(const msg::ReachReply& reply) {
    if (over_ || reply.incarnation != asker_.life || reply.request != question_.request ||
        awaited_.erase(reply.session) == 0) {
        return;  // of an earlier round, or a second answer
    }
    answers_[reply.session] = reply;
    over_ = awaited_.empty();
}

}  // namespace muster::propagation
