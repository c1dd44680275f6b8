#include <algorithm>

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
        beat_metas();  // a newer table may be there
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
    const Folded folded =
        std::visit([&](const auto& known) { return copies_.fold(known); }, change);
    DatumCopy* copy = copies_.find(*service);
    if (folded == Folded::nothing || copy == nullptr) {
        return;
    }
    if (folded == Folded::gap) {
        probe_.gaps.add();
        declare(leader, *copy);
        return;
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

void SessionServer::Impl::declare(const NodeId& leader, const DatumCopy& copy) {
    interests_.declare(leader, {.service = copy.service,
                                .held = copy.version,
                                .complete = copy.complete,
                                .heard = std::max(copy.heard, copy.version)});
}

void SessionServer::Impl::restart_stream(const NodeId& leader) {
    interests_.restart(leader);
    for (auto& [name, copy] : copies_.all()) {
        const Slot* slot = slot_of_service(*copy.service);
        if (slot != nullptr && slot->leader == leader) {
            declare(leader, copy);
        }
    }
}

// One walk for all slots that were asked for: a leader that begins asks for many.
void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::SlotDetailRequest& request) {
    if (request.session != options_.incarnation || roster_.holds(env_.clock.mono())) {
        return;  // asked again when the next digest differs
    }
    std::map<SlotId, msg::SlotDetail> details;
    for (const auto& [slot, epoch] : request.slots) {
        if (slot.raw() < table_.slots.size()) {
            details[slot] = {.session = options_.incarnation,
                             .slot = slot,
                             .slot_epoch = epoch,
                             .stamp = registrations_.stamp(),
                             .complete = !cold_,
                             .publications = {}};
        }
    }
    registrations_.for_each([&](const Registrations::Op& op) {
        const auto detail = details.find(slot_of(*op.service, table_.slots.size()));
        if (detail != details.end()) {
            detail->second.publications.push_back(op);
        }
    });
    for (auto& [slot, detail] : details) {
        env_.outbox.send(from, std::move(detail));
    }
}

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::NotLeading& answer) {
    const bool newer = std::ranges::any_of(answer.items, [&](const auto& item) {
        return item.slot.raw() < table_.slots.size() &&
               table_.slots[item.slot.raw()].epoch < item.slot_epoch;
    });
    if (answer.session == options_.incarnation && newer) {
        beat_metas();
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ListServicesReply& reply) {
    queries_.on_reply(from.node, reply);
}

void SessionServer::Impl::add_digest(std::map<NodeId, msg::SessionHeartbeat>& beats,
                                     SlotId id) const {
    const Slot& slot = table_.slots[id.raw()];
    const auto digest = registrations_.digest(id);
    beats[slot.leader].digests.push_back({.slot = id,
                                          .slot_epoch = slot.epoch,
                                          .digest = digest.digest,
                                          .count = digest.count,
                                          .complete = !cold_});
}

void SessionServer::Impl::send_beats(std::map<NodeId, msg::SessionHeartbeat> beats) {
    for (auto& [leader, beat] : beats) {
        beat.session = options_.incarnation;
        beat.stamp = registrations_.stamp();
        env_.outbox.send({leader, Role::data}, std::move(beat));
    }
}

void SessionServer::Impl::beat_data() {
    std::map<NodeId, msg::SessionHeartbeat> beats;
    for (std::size_t i = 0; i < table_.slots.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        if (table_.slots[i].leader == NodeId{}) {
            continue;
        }
        beats.try_emplace(table_.slots[i].leader);
        if (i % kDigestRounds == ticks_ % kDigestRounds && writes_.empty(id)) {
            add_digest(beats, id);
        }
    }
    send_beats(std::move(beats));
}

// What is unacknowledged in a slot is told first: the digest would differ by it.
void SessionServer::Impl::tell_due_digests() {
    std::map<NodeId, msg::SessionHeartbeat> beats;
    std::erase_if(digests_due_, [&](SlotId id) {
        if (table_.slots[id.raw()].leader == NodeId{} || !writes_.empty(id)) {
            return false;
        }
        add_digest(beats, id);
        return true;
    });
    send_beats(std::move(beats));
}

}  // namespace muster::session
