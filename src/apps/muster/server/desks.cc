#include "apps/muster/server/desks.h"

#include <utility>

namespace muster::cli {

Desks::Desks(Foundation& base, bool serves_clients, std::function<LastKnown()> known)
    : base_(base),
      known_(std::move(known)),
      self_{base.identity.node(), base.config.roles.front()},
      outbox_(base.bus->outbox(self_)),
      brake_timers_(*base.loop),
      brakes_(base.identity.life.now, base.identity.metas,
              serves_clients ? base.identity.node() : NodeId{},
              {.clock = *base.loop,
               .timers = brake_timers_,
               .outbox = *outbox_,
               .members = [this] { return members(); }}),
      verify_timers_(*base.loop),
      verifications_(self_, base.identity.life.now,
                     {.clock = *base.loop,
                      .timers = verify_timers_,
                      .outbox = *outbox_,
                      .known =
                          [this] {
                              return verify::Known{.table = known_().report.table,
                                                   .members = members()};
                          }}),
      propagation_timers_(*base.loop),
      propagations_(self_, base.identity.life.now,
                    {.timers = propagation_timers_, .asking = asking()}),
      history_timers_(*base.loop),
      histories_(self_, base.identity.life.now, {.timers = history_timers_, .asking = asking()}),
      operator_timers_(*base.loop),
      operators_(self_.node, base.identity.life.now, base.identity.metas,
                 {.clock = *base.loop,
                  .timers = operator_timers_,
                  .outbox = *outbox_,
                  .brakes = brakes_,
                  .verifications = verifications_,
                  .propagations = propagations_,
                  .histories = histories_,
                  .last_known = [this] { return known_(); }}) {
    brake_timers_.bind(brakes_);
    verify_timers_.bind(verifications_);
    propagation_timers_.bind(propagations_);
    history_timers_.bind(histories_);
    operator_timers_.bind(operators_);
}

std::vector<Member> Desks::members() const {
    std::vector<Member> members;
    for (const auto& line : known_().report.members) {
        members.push_back(line.member);
    }
    return members;
}

propagation::AskingEnv Desks::asking() {
    return {.clock = *base_.loop, .outbox = *outbox_, .known = [this] {
                return propagation::Known{.table = known_().report.table, .members = members()};
            }};
}

bool Desks::take(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    if (const auto* agreed = std::get_if<msg::OperatorReply>(&message)) {
        operators_.take(*agreed);
        return true;
    }
    if (const auto* held = std::get_if<msg::BrakeReply>(&message)) {
        brakes_.take(from, *held);
        return true;
    }
    if (const auto* copies = std::get_if<msg::VerifyReply>(&message)) {
        verifications_.take(from, *copies);
        return true;
    }
    if (const auto* newest = std::get_if<msg::NewestReply>(&message)) {
        propagations_.take(from, *newest);
        return true;
    }
    if (const auto* marked = std::get_if<msg::MarkReply>(&message)) {
        propagations_.take(from, *marked);
        return true;
    }
    if (const auto* reach = std::get_if<msg::ReachReply>(&message);
        reach != nullptr && reach->asker == base_.identity.node()) {
        propagations_.take(*reach);
        return true;
    }
    if (const auto* history = std::get_if<msg::HistoryReply>(&message)) {
        histories_.take(from, *history);
        return true;
    }
    const auto* word = std::get_if<msg::VerifySessionReply>(&message);
    if (word == nullptr || word->asker != base_.identity.node()) {
        return false;  // the data role passes it on to who asked
    }
    verifications_.take(*word);
    return true;
}

}  // namespace muster::cli
