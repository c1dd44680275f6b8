#include <algorithm>

#include "roles/data/data_impl.h"

namespace muster::data {

// The link for a message of that life of a session; null for an earlier life than the known one.
SessionLink* DataServer::Impl::hear(const NodeId& node, Incarnation life) {
    SessionLink* known = sessions_.find(node);
    if (known != nullptr && known->incarnation < life) {
        forget_interests(*known);  // the link of an earlier life goes, and with it what it wanted
    }
    return sessions_.hear(node, life, env_.clock.mono());
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::PublishBatch& batch) {
    SessionLink* link = hear(from.node, batch.session);
    if (link == nullptr) {
        return;
    }
    LedSlot* slot = slots_.find(batch.slot);
    msg::PublishBatchReply reply{.session = batch.session,
                                 .slot = batch.slot,
                                 .batch = batch.batch,
                                 .slot_epoch = slots_.epoch_of(batch.slot)};
    if (slot == nullptr || slot->epoch != batch.slot_epoch || versions_.exhausted()) {
        probe_.batches_refused.add();
        reply.result = slot == nullptr ? fail(Errc::not_leader, options_.node.raw())
                       : versions_.exhausted()
                           ? fail(Errc::not_ready, "the metas have not raised the version ceiling")
                           : fail(Errc::stale_epoch, "slot epoch differs");
        env_.outbox.send(from, std::move(reply));
        return;
    }
    Turn turn;
    for (const auto& op : batch.ops) {
        apply(*slot, *link, op, turn);
    }
    commit(*slot, turn);
    flush();  // subscribers first, then the publisher's answer
    env_.outbox.send(from, std::move(reply));
}

void DataServer::Impl::apply(LedSlot& slot, const SessionLink& link,
                             const msg::PublishBatch::Op& op, Turn& turn) {
    const auto outcome = slot.store.apply({.id = op.id,
                                           .service = op.service,
                                           .publication = op.publication,
                                           .order = op.order,
                                           .cause = op.cause,
                                           .owner = link.owner,
                                           .owner_seq = op.owner_seq},
                                          env_.clock.mono());
    switch (outcome) {
        case store::WriteOutcome::ignored: probe_.writes_ignored.add(); return;
        case store::WriteOutcome::refreshed: probe_.writes_refreshed.add(); return;
        case store::WriteOutcome::changed: break;
    }
    probe_.writes_changed.add();
    auto& datum = slot.store.find_or_make(op.service);
    if (op.publication != nullptr) {
        note_upsert(turn, datum, op.publication);
    } else {
        note_removal(turn, datum, op.id, op.cause);
    }
}

void DataServer::Impl::note_upsert(Turn& turn, store::DatumStore::Datum& datum,
                                   const PublicationPtr& publication) {
    DatumChange& change = turn[datum.service->data_info_id()];
    change.service = datum.service;
    std::erase_if(change.removals, [&](const Removal& r) { return r.id == publication->id; });
    const auto known = std::ranges::find_if(
        change.upserts, [&](const PublicationPtr& p) { return p->id == publication->id; });
    if (known != change.upserts.end()) {
        *known = publication;
    } else {
        change.upserts.push_back(publication);
    }
}

void DataServer::Impl::note_removal(Turn& turn, store::DatumStore::Datum& datum, const RegistId& id,
                                    RemovalCause cause) {
    DatumChange& change = turn[datum.service->data_info_id()];
    change.service = datum.service;
    std::erase_if(change.upserts, [&](const PublicationPtr& p) { return p->id == id; });
    change.removals.push_back({id, cause});
}

void DataServer::Impl::commit(LedSlot& slot, Turn& turn) {
    for (auto& [name, change] : turn) {
        auto& datum = slot.store.find_or_make(change.service);
        change.from = datum.version;
        change.to = versions_.next(env_.clock.wall());
        datum.version = change.to;
        tell(datum, change);
        slot.log.append(std::move(change));
    }
    turn.clear();
}

void DataServer::Impl::tell(const store::DatumStore::Datum& datum,
                            const std::variant<DatumChange, DatumSnapshot>& change) {
    if (datum.interested == 0) {
        return;
    }
    const std::string name = datum.service->data_info_id();
    for (auto& [node, link] : sessions_.all()) {
        if (link.interests.contains(name)) {
            link.pending.push_back(change);
        }
    }
}

void DataServer::Impl::flush() {
    for (auto& [node, link] : sessions_.all()) {
        if (link.pending.empty()) {
            continue;
        }
        for (const auto& change : link.pending) {
            std::holds_alternative<DatumChange>(change) ? probe_.changes_told.add()
                                                        : probe_.snapshots_told.add();
        }
        env_.outbox.send({node, Role::session},
                         msg::ChangeBatch{.session = link.incarnation,
                                          .stream = link.stream,
                                          .seq = ++link.last_seq,
                                          .changes = std::exchange(link.pending, {})});
    }
}

void DataServer::Impl::forget_interests(SessionLink& link) {
    for (auto& [id, slot] : slots_.led()) {
        for (auto& [name, datum] : slot->store.data()) {
            if (link.interests.contains(name)) {
                --datum.interested;
            }
        }
    }
    link.interests.clear();
    link.pending.clear();
    link.parts.clear();
    link.last_seq = 0;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDeclare& declare) {
    SessionLink* link = hear(from.node, declare.session);
    if (link == nullptr || declare.stream < link->stream) {
        return;
    }
    if (declare.stream > link->stream) {
        forget_interests(*link);
        link->stream = declare.stream;
    }
    if (!link->parts.contains(declare.part)) {
        const bool led = std::ranges::all_of(
            declare.items, [&](const auto& item) { return slots_.find(*item.service) != nullptr; });
        if (!led || versions_.exhausted()) {
            return;  // not acknowledged: the session asks again, by then with a newer table
        }
        link->parts.insert(declare.part);
        for (const auto& item : declare.items) {
            if (link->interests.size() >= options_.interests_per_session_max) {
                probe_.interests_refused.add();
                break;
            }
            const auto [interest, inserted] = link->interests.try_emplace(
                item.service->data_info_id(), item.service, declare.part);
            auto& datum = slots_.find(*item.service)->store.find_or_make(item.service);
            datum.interested += inserted ? 1 : 0;
            interest->second.part = std::max(interest->second.part, declare.part);
            answer_interest(*link, item);
        }
    }
    env_.outbox.send(
        from, msg::InterestAck{
                  .session = declare.session, .stream = declare.stream, .part = declare.part});
}

void DataServer::Impl::answer_interest(SessionLink& link, const msg::InterestDeclare::Item& item) {
    LedSlot& slot = *slots_.find(*item.service);
    auto& datum = slot.store.find_or_make(item.service);
    versions_.merge(item.held);  // I2: above everything heard
    if (datum.version < item.held || datum.version.raw() == 0) {
        datum.version = versions_.next(env_.clock.wall());
    }
    // Who holds nothing needs the statement that what it is told is all, which only a snapshot is.
    if (slot.settled && item.held.raw() != 0) {
        auto missed = slot.log.since(*item.service, item.held);
        if (!missed.empty() && missed.back().to == datum.version) {
            for (auto& change : missed) {
                link.pending.emplace_back(std::move(change));
            }
            return;
        }
    }
    link.pending.emplace_back(snapshot_of(datum, slot.settled));
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDrop& drop) {
    SessionLink* link = hear(from.node, drop.session);
    if (link == nullptr || drop.stream != link->stream) {
        return;
    }
    for (const auto& service : drop.services) {
        const auto interest = link->interests.find(service->data_info_id());
        if (interest == link->interests.end() || interest->second.part > drop.part) {
            continue;
        }
        link->interests.erase(interest);
        if (LedSlot* slot = slots_.find(*service); slot != nullptr) {
            if (auto* datum = slot->store.find(*service); datum != nullptr) {
                --datum->interested;
            }
        }
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SessionHeartbeat& heartbeat) {
    SessionLink* link = hear(from.node, heartbeat.session);
    if (link == nullptr) {
        return;
    }
    compare(*link, heartbeat);
    settle_what_is_complete();
    flush();
    env_.outbox.send(from, msg::DataHeartbeat{.session = link->incarnation,
                                              .data = options_.incarnation,
                                              .stream = link->stream,
                                              .last_seq = link->last_seq});
}

// Equal: the session has supplied the slot. Different: its details are asked for, at once when the
// epoch is new to us, else at a bounded pace.
void DataServer::Impl::compare(SessionLink& link, const msg::SessionHeartbeat& heartbeat) {
    const MonoTime now = env_.clock.mono();
    msg::SlotDetailRequest request{.session = link.incarnation, .slots = {}};
    msg::NotLeading refusal{.session = link.incarnation, .items = {}};
    for (const auto& told : heartbeat.digests) {
        const LedSlot* slot = slots_.find(told.slot);
        if (slot == nullptr || slot->epoch != told.slot_epoch) {
            refusal.items.push_back({.slot = told.slot,
                                     .slot_epoch = slots_.epoch_of(told.slot),
                                     .acting = told.acting});
            continue;
        }
        const auto held = slot->store.digest_of_owner(link.owner);
        if (held.digest == told.digest && held.count == told.count) {
            if (told.complete) {
                link.supplied[told.slot] = slot->epoch;
            }
            continue;
        }
        link.supplied.erase(told.slot);
        auto& asked = link.asked[told.slot];
        if (asked.epoch == slot->epoch && now - asked.at < options_.repair_interval) {
            continue;
        }
        asked = {slot->epoch, now};
        probe_.repairs.add();
        request.slots.push_back({told.slot, slot->epoch});
    }
    if (!request.slots.empty()) {
        env_.outbox.send({link.node, Role::session}, std::move(request));
    }
    if (!refusal.items.empty()) {
        env_.outbox.send({link.node, Role::session}, std::move(refusal));
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SlotDetail& detail) {
    SessionLink* link = hear(from.node, detail.session);
    LedSlot* slot = slots_.find(detail.slot);
    if (link == nullptr || slot == nullptr || slot->epoch != detail.slot_epoch ||
        versions_.exhausted()) {
        return;
    }
    Turn turn;
    std::set<RegistId> listed;
    for (const auto& op : detail.publications) {
        listed.insert(op.id);
        apply(*slot, *link, op, turn);
    }
    for (const auto& publication : slot->store.unlisted(link->owner, detail.stamp, listed)) {
        apply(*slot, *link,
              {.id = publication->id,
               .service = publication->service,
               .order = publication->order,
               .cause = RemovalCause::closed,
               .owner_seq = detail.stamp},
              turn);
    }
    commit(*slot, turn);
    if (detail.complete) {
        link->supplied[detail.slot] = slot->epoch;
        settle_what_is_complete();
    }
}

}  // namespace muster::data
