#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

// Why `batch` is not taken by `slot` (null: not served here), counted; none: it is.
std::optional<Error> DataServer::Impl::why_refused(const LedSlot* slot,
                                                   const msg::PublishBatch& batch) {
    const auto id = batch.slot.raw();
    if (slot == nullptr) {
        probe_.batches_of_others.add();
        return Error{Errc::not_leader,
                     fmt::format("node '{}' does not lead slot {}: ask the metas for a newer slot "
                                 "table, and send it to who leads there",
                                 options_.node.raw(), id)};
    }
    if (versions_.exhausted()) {
        probe_.batches_too_early.add();
        return Error{Errc::not_ready,
                     "the metas have not raised the version ceiling: send it again soon"};
    }
    if (batch.slot_epoch == slot->epoch) {
        return std::nullopt;
    }
    const bool older = batch.slot_epoch < slot->epoch;
    (older ? probe_.batches_older : probe_.batches_newer).add();
    return Error{
        Errc::stale_epoch,
        fmt::format("slot {} has epoch {} at node '{}', and this was sent for epoch {}: {}", id,
                    slot->epoch.raw(), options_.node.raw(), batch.slot_epoch.raw(),
                    older ? "ask the metas for a newer slot table, and send it to who "
                            "leads there"
                          : "the node has to hear of that from the metas first, send it "
                            "again soon")};
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::PublishBatch& batch) {
    SessionLink* link = hear(from.node, batch.session);
    if (link == nullptr) {
        return;
    }
    LedSlot* slot = serve(batch.slot, batch.acting);
    msg::PublishBatchReply reply{.session = batch.session,
                                 .slot = batch.slot,
                                 .batch = batch.batch,
                                 .result = {},
                                 .slot_epoch = slots_.epoch_of(batch.slot),
                                 .acting = batch.acting};
    if (auto refusal = why_refused(slot, batch)) {
        if (batch.slot_epoch > slots_.epoch_of(batch.slot)) {
            view_.ask(from, env_.clock.mono());
        }
        reply.result = std::unexpected(*std::move(refusal));
        env_.outbox.send(from, std::move(reply));
        return;
    }
    Turn turn{.by = link->node, .got_us = batch.got_us};
    for (const auto& op : batch.ops) {
        if (op.word != nullptr) {  // of what its session held for the brake
            turn.why = HistoryRecord::Why::brake_confirmed;
            turn.by = op.word->at;
            turn.asked_by = asked_by_of(op.word->asked_by);
        }
        apply(*slot, *link, op, op.owner_seq - std::min<std::uint64_t>(op.owner_seq, 1), turn);
        if (op.word != nullptr) {
            turn.why = HistoryRecord::Why::said;
            turn.by = link->node;
            turn.asked_by.clear();
        }
    }
    commit(*slot, turn);
    flush();  // followers and subscribers first, then the publisher's answer
    env_.outbox.send(from, std::move(reply));
    tell_superseded(*link, turn);
}

void DataServer::Impl::apply(LedSlot& slot, const SessionLink& link,
                             const msg::PublishBatch::Op& op, std::uint64_t said_at, Turn& turn) {
    // What is nobody's is not the session's again by a word older than the one that let it go.
    const store::Write* last = slot.let_go.find(op.id);
    if (last != nullptr && last->owner == link.owner && said_at < last->owner_seq) {
        probe_.writes_ignored.add();
        return;
    }
    if (op.publication == nullptr) {
        // Its client had come here since: it is not on its way from a session that ended.
        slot.store.forget_others(op.id, [&](const store::Holder& holder) {
            return holder.publication->order < op.order && ended(holder.owner);
        });
    }
    if (held_back(slot, link, op, turn)) {
        return;
    }
    const store::Write write{.id = op.id,
                             .service = op.service,
                             .publication = op.publication,
                             .order = op.order,
                             .cause = op.cause,
                             .owner = link.owner,
                             .owner_seq = op.owner_seq,
                             .said_at = said_at};
    take(slot, write, turn);
}

// Whether anything came of `write`.
bool DataServer::Impl::counts(const store::Write& write, store::WriteOutcome outcome, Turn& turn) {
    switch (outcome) {
        case store::WriteOutcome::ignored: probe_.writes_ignored.add(); return false;
        case store::WriteOutcome::superseded:
            probe_.writes_superseded.add();
            turn.superseded.push_back({.id = write.id, .owner_seq = write.owner_seq});
            return false;
        case store::WriteOutcome::remembered:
            probe_.writes_ignored.add();
            if (by_word(write.cause)) {
                turn.departed.insert(write.service->data_info_id());
            }
            break;
        case store::WriteOutcome::refreshed: probe_.writes_refreshed.add(); break;
        case store::WriteOutcome::changed: probe_.writes_changed.add(); break;
    }
    return true;
}

// Applies `write`, and keeps for commit() what it changed.
void DataServer::Impl::take(LedSlot& slot, const store::Write& write, Turn& turn) {
    store::DatumStore::Entry before;
    const store::WriteOutcome outcome = slot.store.apply(write, env_.clock.mono(), &before);
    if (!counts(write, outcome, turn)) {
        return;
    }
    store::Effect effect{.id = write.id,
                         .publication = nullptr,
                         .order = write.order,
                         .cause = write.cause,
                         .owner = write.owner,
                         .owner_seq = write.owner_seq,
                         .visible = outcome == store::WriteOutcome::changed};
    // What is there now may be another state than the one that was said.
    if (write.publication != nullptr && effect.visible) {
        effect.id = {};
        effect.publication = write.publication;
    } else if (const auto* entry = slot.store.find(*write.service, write.id)) {
        effect.id = {};
        effect.publication = entry->publication;
        effect.order = entry->publication->order;
        effect.owner = entry->owner;
        effect.owner_seq = entry->owner_seq;
    }
    // What no list shows may change unseen.
    effect.visible = effect.visible && (effect.publication == nullptr ||
                                        !store::is_drained(slot.store.mark_of(write.id)));
    Written& written = turn.written[write.service->data_info_id()];
    written.service = write.service;
    written.effects.push_back(std::move(effect));
    remember_write(turn, written, write, before);
}

// What was written becomes entries of the log, each with the datum's next version when subscribers
// see it, and is told.
void DataServer::Impl::commit(LedSlot& slot, Turn& turn) {
    const Trace trace = trace_of(turn);
    for (auto& [name, written] : turn.written) {
        auto& effects = written.effects;
        std::vector<Version> versions;  // of the entries
        for (store::Effect& effect : effects) {
            if (effect.publication == nullptr) {
                effect.connection = slot.store.tombstones().connection(effect.id);
            } else {
                effect.mark = slot.store.mark_of(effect.publication->id);
            }
        }
        for (std::size_t begin = 0; begin < effects.size(); begin += kEffectsPerEntry) {
            const std::size_t end = std::min(begin + kEffectsPerEntry, effects.size());
            store::LogEntry entry{.service = written.service, .from = {}, .to = {}, .effects = {}};
            entry.effects.assign(
                std::make_move_iterator(effects.begin() + static_cast<std::ptrdiff_t>(begin)),
                std::make_move_iterator(effects.begin() + static_cast<std::ptrdiff_t>(end)));
            const bool visible = std::ranges::any_of(
                entry.effects, [](const store::Effect& effect) { return effect.visible; });
            auto* datum = slot.store.find(*written.service);
            entry.from = datum == nullptr ? Version{} : datum->version;
            entry.to = entry.from;
            if (visible) {
                entry.trace = trace;
                if (trace.known() && turn.got_us) {
                    probe_.session_to_leader.record(std::chrono::microseconds(trace.to_leader_us));
                }
                entry.to = next_version(slot);
                datum->version = entry.to;
                if (datum->interested > 0) {
                    DatumChange change = change_of(entry);
                    if (end == effects.size()) {
                        change.digest = digest_told(slot, *datum);
                    }
                    tell(slot, change);
                }
            }
            versions.push_back(entry.to);
            append(slot, std::move(entry));
        }
        record(written, versions);
    }
    turn.written.clear();
    for (const std::string& name : std::exchange(turn.departed, {})) {
        tell_departed(slot, name);
    }
}

Trace DataServer::Impl::trace_of(const Turn& turn) const {
    const std::int64_t now = env_.clock.wall_us();
    if (!turn.got_us) {
        return {.got_us = now};
    }
    // Of what may be anything no difference is made.
    const Trace got{.got_us = *turn.got_us};
    return got.known() ? Trace{.got_us = got.got_us, .to_leader_us = now - got.got_us} : Trace{};
}

// What a session goes on holding although its client withdrew or changed it elsewhere would come
// back when the memory of that is over.
void DataServer::Impl::tell_superseded(const SessionLink& link, Turn& turn) {
    if (!turn.superseded.empty()) {
        env_.outbox.send({link.node, Role::session},
                         msg::Superseded{.session = link.incarnation,
                                         .items = std::exchange(turn.superseded, {})});
    }
}

void DataServer::Impl::append(LedSlot& slot, store::LogEntry entry) {
    if (const auto id = slots_.id_of(*entry.service)) {
        written_.insert(*id);
    }
    slot.wrote = true;
    slot.log.append(std::move(entry));
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SessionHeartbeat& heartbeat) {
    SessionLink* link = hear(from.node, heartbeat.session);
    if (link == nullptr) {
        return;
    }
    compare(*link, heartbeat);
    flush();
    env_.outbox.send(from, msg::DataHeartbeat{.session = link->incarnation,
                                              .data = options_.incarnation,
                                              .stream = link->tells.number(),
                                              .last_seq = link->tells.last_seq(),
                                              .round = round_,
                                              .waits = link->tells.waiting() > 0});
}

// Equal: the session has supplied the slot. Different: its details are asked for, at once when the
// epoch is new to us, else at a bounded pace.
void DataServer::Impl::compare(SessionLink& link, const msg::SessionHeartbeat& heartbeat) {
    const MonoTime now = env_.clock.mono();
    msg::SlotDetailRequest request{.session = link.incarnation, .round = round_, .slots = {}};
    std::vector<msg::NotLeading::Item> refused;
    for (const auto& told : heartbeat.digests) {
        LedSlot* slot = serve(told.slot, told.acting);
        if (slot == nullptr || slot->epoch != told.slot_epoch) {
            refused.push_back({.slot = told.slot,
                               .slot_epoch = slots_.epoch_of(told.slot),
                               .acting = told.acting});
            continue;
        }
        const auto held = slot->store.digest_of_owner(link.owner);
        if (held.digest == told.digest && held.count == told.count) {
            if (const auto asked = link.asked.find(told.slot); asked != link.asked.end()) {
                asked->second.after = {};
            }
            if (told.complete && heartbeat.round >= slot->supply_round &&
                !link.has_supplied(told.slot, slot->epoch)) {
                link.supplied[told.slot] = slot->epoch;
                settle_if_supplied(told.slot, *slot);
            }
            continue;
        }
        link.supplied.erase(told.slot);
        auto& asked = link.asked[told.slot];
        if (asked.epoch != slot->epoch) {
            asked = {.epoch = slot->epoch, .at = {}};
        } else if (now - asked.at < options_.repair_interval) {
            continue;
        }
        asked.at = now;
        probe_.repairs.add();
        request.slots.push_back({told.slot, slot->epoch, asked.after});
    }
    if (!request.slots.empty()) {
        env_.outbox.send({link.node, Role::session}, std::move(request));
    }
    refuse(link, std::move(refused));
}

void DataServer::Impl::ask_details() {
    for (auto& [node, slots] : std::exchange(details_due_, {})) {
        SessionLink& link = *sessions_.find(node);
        msg::SlotDetailRequest request{.session = link.incarnation, .round = round_, .slots = {}};
        for (const SlotId id : slots) {
            if (const LedSlot* slot = slots_.find(id); slot != nullptr) {
                link.asked[id] = {.epoch = slot->epoch, .at = env_.clock.mono()};
                request.slots.push_back({id, slot->epoch});
            }
        }
        env_.outbox.send({node, Role::session}, std::move(request));
    }
}

void DataServer::Impl::refuse(const SessionLink& link, std::vector<msg::NotLeading::Item> items) {
    if (!items.empty()) {
        env_.outbox.send({link.node, Role::session},
                         msg::NotLeading{.session = link.incarnation, .items = std::move(items)});
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SlotDetail& detail) {
    SessionLink* link = hear(from.node, detail.session);
    LedSlot* slot = slots_.find(detail.slot);
    if (link == nullptr || slot == nullptr || slot->epoch != detail.slot_epoch ||
        versions_.exhausted()) {
        return;
    }
    Turn turn{.by = link->node, .got_us = 0};  // it may have known of them for long
    store::Listed listed{.after = detail.after, .more = detail.more, .ids = {}};
    for (const auto& op : detail.publications) {
        listed.ids.insert(op.id);
        apply(*slot, *link, op, detail.stamp, turn);
    }
    // It let go of these; why, is not known.
    turn.why = HistoryRecord::Why::unlisted;
    for (const auto& publication : slot->store.unlisted(link->owner, detail.stamp, listed)) {
        apply(*slot, *link,
              {.id = publication->id,
               .service = publication->service,
               .order = publication->order,
               .cause = RemovalCause::silent,
               .owner_seq = detail.stamp},
              detail.stamp, turn);
    }
    commit(*slot, turn);
    tell_superseded(*link, turn);
    go_on_comparing(*link, detail);
}

// All is supplied when the parts have come without a gap, all of them in this round of supply. What
// is written meanwhile comes by itself.
void DataServer::Impl::go_on_comparing(SessionLink& link, const msg::SlotDetail& detail) {
    SessionLink::Asked& asked = link.asked[detail.slot];
    LedSlot& slot = *slots_.find(detail.slot);
    if (asked.epoch != detail.slot_epoch || asked.after != detail.after ||
        detail.round < slot.supply_round) {
        return;  // doubled, or of an earlier attempt
    }
    const bool further =
        !detail.publications.empty() && detail.publications.back().id > detail.after;
    if (detail.more && further) {
        asked.at = env_.clock.mono();
        asked.after = detail.publications.back().id;
        env_.outbox.send(
            {link.node, Role::session},
            msg::SlotDetailRequest{.session = link.incarnation,
                                   .round = detail.round,
                                   .slots = {{detail.slot, detail.slot_epoch, asked.after}}});
        return;
    }
    asked.after = {};
    if (detail.complete && !detail.more) {
        link.supplied[detail.slot] = slot.epoch;
        settle_if_supplied(detail.slot, slot);
    }
}

}  // namespace muster::data
