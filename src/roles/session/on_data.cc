#include <algorithm>
#include <utility>

#include "roles/session/detail_part.h"
#include "roles/session/session_impl.h"

namespace muster::session {
namespace {

// Each heartbeat compares this share of the slots, so that all are compared in turn.
constexpr std::uint64_t kDigestRounds = 8;

Version version_of(const DatumChange& change) {
    return change.to;
}

Version version_of(const DatumSnapshot& snapshot) {
    return snapshot.version;
}

}  // namespace

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::PublishBatchReply& reply) {
    if (reply.session != options_.incarnation) {
        return;  // meant for an earlier life, whose batches had the same numbers
    }
    const MonoTime now = env_.clock.mono();
    for (const auto& write : writes_.on_reply(from.node, reply, now)) {
        if (write.since != MonoTime{}) {
            stages_.record(Stage::write_round_trip, now - write.since, *write.service);
        }
        pending_.done(write.waiter, [this](env::ConnId conn, const msg::RequestReply& answer) {
            reply_to(conn, answer);
        });
    }
    if (!reply.result) {
        env_.log.debug("session.write.refused",
                       {{"by", from.node.raw()}, {"why", to_string(reply.result.error())}});
        ask_metas();  // a newer table may be there
        if (reply.slot.raw() < table().slots.size() &&
            reply.slot_epoch > table().slots[reply.slot.raw()].epoch) {
            view_.ask(from, env_.clock.mono());
        }
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
    DatumCopy* copy = copies_.find(*service);
    if (copy == nullptr) {
        interests_.drop(leader, service);  // it was told so, and did not hear it
        return;
    }
    if (waits_to_rejoin(*copy)) {
        return;
    }
    const Version before = copy->version;
    const Folded folded =
        std::visit([&](const auto& known) { return copies_.fold(known); }, change);
    if (folded == Folded::nothing) {
        if (std::visit([](const auto& known) { return version_of(known); }, change) <
            copy->version) {
            outrun_.insert(service->data_info_id());
        }
        return;
    }
    if (folded == Folded::gap) {
        probe_.gaps.add();
        declare(leader, *copy);
        return;
    }
    if (folded == Folded::differs) {
        probe_.digests_differ.add();
        env_.log.warning("session.copy.differs",
                         {{"service", service->path()}, {"leader", leader.raw()}});
        declare(leader, *copy);
        return;  // the list that comes is shown, and not this one
    }
    if (const Route* route = routes_.find(*service); route->acting) {
        copy->diverged = true;
    }
    const auto* list = std::get_if<DatumSnapshot>(&change);
    if (list == nullptr || !list->settled) {
        const auto strays = pusher_.note_strays(*copy, before);
        for (const Version stray : strays) {
            copy->doubt(stray);
        }
        if (!strays.empty()) {
            declare(leader, *copy);
        }
    }
    probe_.changes.add();
    const MonoTime now = env_.clock.mono();
    if (const auto* step = std::get_if<DatumChange>(&change)) {
        note_trace(*step, now);
    }
    pusher_.offer(*copy, now);
}

// From now on the way of a change is timed here, by one clock.
void SessionServer::Impl::note_trace(const DatumChange& change, MonoTime now) {
    const Trace& trace = change.trace;
    if (!trace.known()) {
        return;
    }
    using us = std::chrono::microseconds;
    const std::int64_t wall_us = env_.clock.wall_us();
    const Service& service = *change.service;
    stages_.record_of_service(Stage::session_to_leader, us(trace.to_leader_us), service);
    stages_.record(Stage::leader_to_session, us(wall_us - trace.applied_us()), service);
    pusher_.note_change(service, now - us(wall_us - trace.got_us), now);
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::InterestAck& ack) {
    if (ack.session == options_.incarnation) {
        interests_.on_ack(from.node, ack);
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::DataHeartbeat& heartbeat) {
    if (heartbeat.session != options_.incarnation) {
        return;
    }
    if (interests_.on_heartbeat(from.node, heartbeat, env_.clock.mono())) {
        probe_.streams_restarted.add();
        restart_stream(from.node);
    }
    if (auto& round = rounds_[from.node]; round < heartbeat.round) {
        round = heartbeat.round;
        for (std::size_t i = 0; i < routes_.size(); ++i) {
            const SlotId id(static_cast<std::uint16_t>(i));
            if (routes_.find(id)->node == from.node) {
                digests_due_.insert(id);
            }
        }
    }
}

void SessionServer::Impl::declare(const NodeId& node, const DatumCopy& copy) {
    if (waits_to_rejoin(copy)) {
        return;
    }
    const Route* route = routes_.find(*copy.service);
    auto item = declaration_of(copy);
    if (route != nullptr) {
        item.slot_epoch = route->epoch;
    }
    interests_.declare(node, std::move(item), route != nullptr && route->acting);
}

// Their leader tells versions below what was shown: it could not know better when they were
// declared (its ceiling was behind that of a leader before), or these were late.
void SessionServer::Impl::declare_outrun() {
    for (const std::string& name : std::exchange(outrun_, {})) {
        const auto copy = copies_.all().find(name);
        const NodeId* server =
            copy == copies_.all().end() ? nullptr : server_of(*copy->second.service);
        if (server != nullptr && *server != NodeId{}) {
            declare(*server, copy->second);
        }
    }
}

void SessionServer::Impl::restart_stream(const NodeId& leader) {
    for (const auto& told : interests_.restart(leader)) {
        copies_.note_departed(told);
    }
    for (auto& [name, copy] : copies_.all()) {
        const NodeId* server = server_of(*copy.service);
        if (server != nullptr && *server == leader) {
            declare(leader, copy);
        }
    }
}

// One walk for all slots that were asked for: a leader that begins asks for many. It begins at the
// first id that any of them wants, and ends when each part is full.
void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::SlotDetailRequest& request) {
    if (request.session != options_.incarnation || roster_.holds(env_.clock.mono())) {
        return;  // asked again when the next digest differs
    }
    std::map<SlotId, DetailPart> parts;
    std::set<RegistId> from_here;
    for (const auto& [slot, epoch, after] : request.slots) {
        if (slot.raw() < table().slots.size() && parts.try_emplace(slot, after).second) {
            from_here.insert(after);
        }
    }
    if (parts.empty()) {
        return;
    }
    std::size_t open = parts.size();
    registrations_.for_each_after(*from_here.begin(), [&](const Registrations::Op& op) {
        const auto part = parts.find(slot_of(*op.service, table().slots.size()));
        if (part != parts.end() && !part->second.full()) {
            part->second.offer(op);
            open -= part->second.full() ? 1 : 0;
        }
        return open > 0;
    });
    for (const auto& [slot, epoch, after] : request.slots) {
        auto part = parts.extract(slot);  // one that is named twice is answered once
        if (part) {
            msg::SlotDetail detail{.session = options_.incarnation,
                                   .slot = slot,
                                   .slot_epoch = epoch,
                                   .stamp = registrations_.stamp(),
                                   .round = request.round,
                                   .complete = !cold_,
                                   .publications = {}};
            part.mapped().fill(detail);
            env_.outbox.send(from, std::move(detail));
        }
    }
}

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::Superseded& news) {
    if (news.session != options_.incarnation) {
        return;
    }
    for (const auto& [id, owner_seq] : news.items) {
        if (registrations_.let_go(id, owner_seq)) {
            probe_.superseded.add();
        }
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::NotLeading& answer) {
    const bool newer = std::ranges::any_of(answer.items, [&](const auto& item) {
        return item.slot.raw() < table().slots.size() &&
               table().slots[item.slot.raw()].epoch < item.slot_epoch;
    });
    if (answer.session != options_.incarnation) {
        return;
    }
    if (newer) {
        ask_metas();
        view_.ask(from, env_.clock.mono());
    }
    for (const auto& item : answer.items) {
        const Route* route = routes_.find(item.slot);
        if (route != nullptr && route->acting && route->node == from.node) {
            routes_.will_not_act(from.node, item.slot, env_.clock.mono());
        }
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ListServicesReply& reply) {
    queries_.on_reply(from.node, reply);
}

void SessionServer::Impl::add_digest(std::map<NodeId, msg::SessionHeartbeat>& beats,
                                     SlotId id) const {
    const Route& route = *routes_.find(id);
    const auto digest = registrations_.digest(id);
    beats[route.node].digests.push_back({.slot = id,
                                         .slot_epoch = route.epoch,
                                         .digest = digest.digest,
                                         .count = digest.count,
                                         .complete = !cold_,
                                         .acting = route.acting});
}

void SessionServer::Impl::send_beats(std::map<NodeId, msg::SessionHeartbeat> beats) {
    for (auto& [node, beat] : beats) {
        beat.session = options_.incarnation;
        beat.stamp = registrations_.stamp();
        const auto round = rounds_.find(node);
        beat.round = round == rounds_.end() ? 0 : round->second;
        routes_.asked(node, env_.clock.mono());
        env_.outbox.send({node, Role::data}, std::move(beat));
    }
}

void SessionServer::Impl::beat_data() {
    std::map<NodeId, msg::SessionHeartbeat> beats;
    for (const NodeId& leader : routes_.missed()) {
        beats.try_emplace(leader);  // is it back?
    }
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        const NodeId& node = routes_.find(id)->node;
        if (node == NodeId{}) {
            continue;
        }
        beats.try_emplace(node);
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
        const Route* route = routes_.find(id);
        if (route == nullptr || route->node == NodeId{} || !writes_.empty(id)) {
            return false;
        }
        add_digest(beats, id);
        return true;
    });
    send_beats(std::move(beats));
}

}  // namespace muster::session
