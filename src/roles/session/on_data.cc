#include "roles/session/session_impl.h"

namespace muster::session {
namespace {

// Each heartbeat compares this share of the slots, so that all are compared in turn.
constexpr std::uint64_t kDigestRounds = 8;

}  // namespace

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::PublishBatchReply& reply) {
    if (reply.session != options_.incarnation) {
        return;  // meant for an earlier life, whose batches had the same numbers
    }
    for (const WaiterId waiter : writes_.on_reply(reply, env_.clock.mono())) {
        pending_.done(waiter, [this](env::ConnId conn, const msg::RequestReply& answer) {
            reply_to(conn, answer);
        });
    }
    if (!reply.result) {
        ask_metas();  // a newer table may be there
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ChangeBatch& batch) {
    if (batch.session != options_.incarnation) {
        return;
    }
    interests_.on_changes(from.node, batch, env_.clock.mono(), [&](const msg::ChangeBatch& due) {
        for (const auto& change : due.changes) {
            fold(from.node, change);
        }
    });
}

void SessionServer::Impl::fold(const NodeId& leader,
                               const std::variant<DatumChange, DatumSnapshot>& change) {
    const ServicePtr& service =
        std::visit([](const auto& known) -> const ServicePtr& { return known.service; }, change);
    const NodeId* server = server_of(*service);
    if (server == nullptr || *server != leader) {
        return;  // it served this slot before; who does now was asked for everything
    }
    const Folded folded =
        std::visit([&](const auto& known) { return copies_.fold(known); }, change);
    DatumCopy* copy = copies_.find(*service);
    if (copy == nullptr) {
        interests_.drop(leader, service);  // it was told so, and did not hear it
        return;
    }
    if (folded == Folded::nothing) {
        return;
    }
    if (folded == Folded::gap) {
        probe_.gaps.add();
        declare(leader, *copy);
        return;
    }
    if (const Route* route = routes_.find(*service); route->acting) {
        copy->diverged = true;
    }
    probe_.changes.add();
    pusher_.offer(*copy, env_.clock.mono());
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::InterestAck& ack) {
    if (ack.session == options_.incarnation) {
        interests_.on_ack(from.node, ack);
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::DataHeartbeat& heartbeat) {
    if (heartbeat.session == options_.incarnation) {
        interests_.on_heartbeat(from.node, heartbeat, env_.clock.mono());
    }
}

void SessionServer::Impl::restart_stream(const NodeId& leader) {
    interests_.restart(leader);
    for (auto& [name, copy] : copies_.all()) {
        const NodeId* server = server_of(*copy.service);
        if (server != nullptr && *server == leader) {
            declare(leader, copy);
        }
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::SlotDetailRequest& request) {
    if (request.session != options_.incarnation || request.slot.raw() >= table().slots.size()) {
        return;
    }
    if (roster_.holds(env_.clock.mono())) {
        return;  // asked again when the next digest differs
    }
    msg::SlotDetail detail{.session = options_.incarnation,
                           .slot = request.slot,
                           .slot_epoch = request.slot_epoch,
                           .stamp = registrations_.stamp()};
    registrations_.for_each([&](const Registrations::Op& op) {
        if (slot_of(*op.service, table().slots.size()) == request.slot) {
            detail.publications.push_back(op);
        }
    });
    env_.outbox.send(from, std::move(detail));
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ListServicesReply& reply) {
    queries_.on_reply(from.node, reply);
}

bool SessionServer::Impl::supplied(SlotId slot) const {
    return !cold_ && writes_.empty(slot);
}

void SessionServer::Impl::beat_data() {
    std::map<NodeId, msg::SessionHeartbeat> beats;
    for (const NodeId& leader : routes_.missed()) {
        beats[leader];  // whether it is back
    }
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        const Route& route = *routes_.find(id);
        if (route.node == NodeId{}) {
            continue;
        }
        auto& beat = beats[route.node];
        if (i % kDigestRounds != ticks_ % kDigestRounds || !writes_.empty(id)) {
            continue;
        }
        const auto digest = registrations_.digest(id);
        beat.digests.push_back({id, digest.digest, digest.count});
        if (!cold_) {
            beat.complete.emplace_back(id, route.epoch);
        }
    }
    send_beats(std::move(beats));
}

void SessionServer::Impl::send_beats(std::map<NodeId, msg::SessionHeartbeat> beats) {
    for (auto& [node, beat] : beats) {
        beat.session = options_.incarnation;
        beat.stamp = registrations_.stamp();
        routes_.asked(node, env_.clock.mono());
        env_.outbox.send({node, Role::data}, std::move(beat));
    }
}

void SessionServer::Impl::tell_newly_complete() {
    if (unsupplied_.empty() || cold_) {
        return;
    }
    std::map<NodeId, msg::SessionHeartbeat> beats;
    std::erase_if(unsupplied_, [&](SlotId id) {
        const Route* route = routes_.find(id);
        if (route == nullptr || route->node == NodeId{} || !supplied(id)) {
            return false;
        }
        beats[route->node].complete.emplace_back(id, route->epoch);
        return true;
    });
    send_beats(std::move(beats));
}

}  // namespace muster::session
