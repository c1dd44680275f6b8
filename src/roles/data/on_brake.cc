#include <algorithm>

#include "roles/data/data_impl.h"

// The brake (docs/adr/0009) at the leader: when more publications of a service close or fall silent
// at once than is believed, or of the whole cluster as the metas say, they stay. They are then
// nobody's (store::kNobody), so that their session's digest agrees and followers know them as such;
// whoever says their id again owns them as if they had never been held.
namespace muster::data {
namespace {

bool ends_unasked(const msg::PublishBatch::Op& op) {
    return op.publication == nullptr && !op.confirmed &&
           (op.cause == RemovalCause::closed || op.cause == RemovalCause::silent);
}

}  // namespace

// Whether one more of the publications of `service` may go, of so many that are not held.
bool DataServer::Impl::may_go(const ServicePtr& service, std::size_t living) {
    ++removals_;
    const MonoTime now = env_.clock.mono();
    const std::string name = service->data_info_id();
    const bool by_cluster = !cluster_braking_.empty();
    if (!by_cluster && brake_.admit(name, 1, living, now)) {
        return true;
    }
    probe_.suspects.add();
    const auto [held, is_new] = held_.try_emplace(name);
    if (is_new) {
        held->second = {
            .service = service,
            .scope = by_cluster ? msg::BrakeScope::cluster : msg::BrakeScope::service,
            .since = now,
            .why = by_cluster ? cluster_braking_ : brake_.why(*brake_.trip(name), "publications"),
            .until = {}};
        env_.log.error("data.brake.on", {{"service", service->path()}, {"why", held->second.why}});
    }
    return false;
}

// Takes a removal away from its session when the brake wants it held, or when another one may own
// the publication and has not said so yet. True: it is.
bool DataServer::Impl::held_back(LedSlot& slot, const SessionLink& link,
                                 const msg::PublishBatch::Op& op, Turn& turn) {
    if (!ends_unasked(op)) {
        return false;
    }
    const auto* datum = slot.store.find(*op.service);
    if (datum == nullptr) {
        return false;
    }
    const auto entry = datum->entries.find(op.id);
    if (entry == datum->entries.end()) {
        return false;
    }
    const bool owns = entry->owner == link.owner ? entry->owner_seq <= op.owner_seq
                                                 : store::succeeds(link.owner, entry->owner);
    const bool would_go =
        owns && op.order >= entry->publication->order && !slot.store.has_others(op.id);
    if (!would_go) {
        return false;
    }
    const SlotId id = *slots_.id_of(*datum->service);
    const HistoryRecord::Why said = turn.why;
    if (!may_go(datum->service, living_of(*datum))) {
        turn.why = HistoryRecord::Why::brake;
        hold(slot, *datum, entry->publication, op.cause, turn);
    } else if (op.cause == RemovalCause::silent &&
               !all_supplied(id, slot, options_.heir_patience)) {
        unclaimed_[id][op.id] = datum->service;
        turn.why = HistoryRecord::Why::unclaimed;
        disown(slot, *datum, entry->publication, kUnclaimed, op.cause, turn);
    } else {
        return false;
    }
    turn.why = said;  // of what comes next
    slot.let_go.set({.removal = {.id = op.id,
                                 .service = datum->service,
                                 .publication = nullptr,
                                 .order = op.order,
                                 .cause = op.cause,
                                 .owner = link.owner,
                                 .owner_seq = op.owner_seq},
                     .since = env_.clock.mono()});
    return true;
}

// Those of a service that are not held.
std::size_t DataServer::Impl::living_of(const store::DatumStore::Datum& datum) const {
    const auto held = held_.find(datum.service->data_info_id());
    const std::size_t held_count = held == held_.end() ? 0 : held->second.until.size();
    return datum.entries.size() - std::min(datum.entries.size(), held_count);
}

void DataServer::Impl::hold(LedSlot& slot, const store::DatumStore::Datum& datum,
                            const PublicationPtr& publication, RemovalCause cause, Turn& turn) {
    const auto since = std::max<std::int64_t>(env_.clock.wall().unix_ms, 1);
    disown(slot, datum, publication, static_cast<std::uint64_t>(since), cause, turn);
    HeldService& held = held_[datum.service->data_info_id()];
    held.until[publication->id] = env_.clock.mono() + options_.suspect_patience;
}

// Of a session that went and whose time is over: what the brake wants held stays.
void DataServer::Impl::hold_orphans(LedSlot& slot, store::OwnerId owner, Turn& turn) {
    struct Kept {
        const store::DatumStore::Datum* datum;
        PublicationPtr publication;
    };
    std::vector<Kept> kept;
    for (const auto& [name, datum] : slot.store.data()) {
        std::size_t living = living_of(datum);
        for (const auto& entry : datum.entries) {
            if (entry.owner != owner || slot.store.has_others(entry.publication->id)) {
                continue;
            }
            if (!may_go(datum.service, living)) {
                kept.push_back({&datum, entry.publication});
            }
            living -= living > 0 ? 1 : 0;
        }
    }
    for (const Kept& one : kept) {
        hold(slot, *one.datum, one.publication, RemovalCause::silent, turn);
    }
}

// Of a slot that begins: what its leader before held goes on being held, or is unclaimed still.
void DataServer::Impl::find_held(LedSlot& slot) {
    if (slot.store.digest_of_owner(store::kNobody).count == 0) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    for (const auto& [name, datum] : slot.store.data()) {
        for (const auto& entry : datum.entries) {
            if (entry.owner != store::kNobody) {
                continue;
            }
            if (entry.owner_seq == kUnclaimed) {
                unclaimed_[*slots_.id_of(*datum.service)][entry.publication->id] = datum.service;
                continue;
            }
            const auto [held, is_new] = held_.try_emplace(name);
            if (is_new) {
                held->second = {.service = datum.service,
                                .since = now,
                                .why = "the leader before held them",
                                .until = {}};
            }
            // Clocks of machines differ: it is held no longer than had it been held now.
            const auto known = std::chrono::milliseconds(
                env_.clock.wall().unix_ms - static_cast<std::int64_t>(entry.owner_seq));
            const Duration been =
                std::clamp<Duration>(known, Duration::zero(), options_.suspect_patience);
            held->second.until.try_emplace(entry.publication->id,
                                           now + options_.suspect_patience - been);
        }
    }
}

// Forgets who was heard again or is led elsewhere now.
void DataServer::Impl::forget_heard() {
    for (auto& [name, held] : held_) {
        LedSlot* slot = slots_.find(*held.service);
        const auto* datum = slot == nullptr ? nullptr : slot->store.find(*held.service);
        std::erase_if(held.until, [&](const auto& one) {
            const auto entry = datum == nullptr ? decltype(datum->entries.begin()){}
                                                : datum->entries.find(one.first);
            return datum == nullptr || entry == datum->entries.end() ||
                   entry->owner != store::kNobody;
        });
    }
    std::erase_if(held_, [&](const auto& item) {
        const bool over = item.second.until.empty() && !brake_.braking(item.first);
        if (over) {
            env_.log.info("data.brake.off", {{"service", item.second.service->path()}});
        }
        return over;
    });
}

// Removes what is held of a service: all of it, or what is over at `now`.
std::size_t DataServer::Impl::drop_held(HeldService& held, std::optional<MonoTime> now,
                                        const OperatorWord& word) {
    LedSlot* slot = slots_.find(*held.service);
    auto* datum = slot == nullptr ? nullptr : slot->store.find(*held.service);
    if (datum == nullptr || versions_.exhausted()) {
        return 0;
    }
    Turn turn{.why = now ? HistoryRecord::Why::brake_over : HistoryRecord::Why::brake_confirmed,
              .by = word.at,
              .asked_by = word.asked_by};
    std::size_t dropped = 0;
    for (auto one = held.until.begin(); one != held.until.end();) {
        if (now && one->second > *now) {
            ++one;
            continue;
        }
        const auto entry = datum->entries.find(one->first);
        if (entry != datum->entries.end() && entry->owner == store::kNobody) {
            drop_nobodys(*slot, held.service, *entry, turn);
            ++dropped;
        }
        one = held.until.erase(one);
    }
    commit(*slot, turn);
    probe_.suspects_removed.add(dropped);
    return dropped;
}

void DataServer::Impl::give_time(HeldService& held, const OperatorWord& word) {
    LedSlot* slot = slots_.find(*held.service);
    const auto* datum = slot == nullptr ? nullptr : slot->store.find(*held.service);
    if (datum == nullptr) {
        return;
    }
    Turn turn{.why = HistoryRecord::Why::brake_released, .by = word.at, .asked_by = word.asked_by};
    std::vector<PublicationPtr> publications;
    for (const auto& [id, until] : held.until) {
        publications.push_back(datum->entries.find(id)->publication);
    }
    for (const PublicationPtr& publication : publications) {
        hold(*slot, *datum, publication, RemovalCause::silent, turn);
    }
    commit(*slot, turn);
}

void DataServer::Impl::look_after_held(MonoTime now) {
    brake_.sweep(now);
    forget_heard();
    for (auto& [name, held] : held_) {
        drop_held(held, now);
    }
}

std::vector<msg::BrakeLine> DataServer::Impl::brake_lines() const {
    const MonoTime now = env_.clock.mono();
    std::vector<msg::BrakeLine> lines;
    msg::BrakeLine all{.scope = msg::BrakeScope::cluster,
                       .name = "cluster",
                       .node = options_.node,
                       .braking = !cluster_braking_.empty(),
                       .why = cluster_braking_};
    for (const auto& [name, held] : held_) {
        std::int64_t left = 0;
        for (const auto& [id, until] : held.until) {
            left = std::max<std::int64_t>(left, to_ms(until - now));
        }
        const std::int64_t age = to_ms(now - held.since);
        if (held.scope == msg::BrakeScope::cluster) {
            all.held += held.until.size();
            all.age_ms = std::max(all.age_ms, age);
            all.left_ms = std::max(all.left_ms, left);
            all.why = held.why;
            continue;
        }
        lines.push_back({.scope = msg::BrakeScope::service,
                         .name = name,
                         .node = options_.node,
                         .braking = brake_.braking(name),
                         .held = held.until.size(),
                         .why = held.why,
                         .age_ms = age,
                         .left_ms = left});
    }
    if (all.held > 0) {
        lines.push_back(std::move(all));
    }
    return lines;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::BrakeRequest& request) {
    using Action = msg::BrakeRequest::Action;
    msg::BrakeReply reply{.incarnation = request.incarnation, .request = request.request};
    forget_heard();
    if (request.action == Action::report) {
        reply.lines = brake_lines();
        if (reply.lines.size() > msg::BrakeReply::kLinesMax) {
            reply.lines.resize(msg::BrakeReply::kLinesMax);
            reply.more = true;
        }
        env_.outbox.send(from, std::move(reply));
        return;
    }
    const OperatorWord word{.at = request.asked_at == NodeId{} ? from.node : request.asked_at,
                            .asked_by = asked_by_of(request.asked_by)};
    for (auto& [name, held] : held_) {
        const bool meant = held.scope == request.scope &&
                           (request.scope == msg::BrakeScope::cluster || name == request.name);
        if (!meant) {
            continue;
        }
        brake_.release(name);
        ++reply.brakes;
        if (request.action == Action::confirm) {
            reply.publications += drop_held(held, std::nullopt, word);
        } else {
            reply.publications += held.until.size();
            give_time(held, word);
        }
    }
    if (reply.brakes > 0) {
        env_.log.warning(
            request.action == Action::confirm ? "data.brake.confirmed" : "data.brake.released",
            {{"services", reply.brakes},
             {"publications", reply.publications},
             {"by", word.at.raw()},
             {"asked_by", word.asked_by}});
    }
    forget_heard();
    flush();
    env_.outbox.send(from, std::move(reply));
}

}  // namespace muster::data
