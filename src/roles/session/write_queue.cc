#include "roles/session/write_queue.h"

#include <algorithm>

namespace muster::session {

namespace {

// When the oldest of `items` that tells it was queued, by the wall clock; zero: none tells it.
std::int64_t oldest_us(const auto& items, MonoTime now, std::int64_t wall_us) {
    std::optional<MonoTime> oldest;
    for (const auto& item : items) {
        if (item.since != MonoTime{}) {
            oldest = std::min(oldest.value_or(item.since), item.since);
        }
    }
    return oldest ? wall_us - to_us(now - *oldest) : 0;
}

}  // namespace

void WriteQueue::add(Item item, std::size_t slot_count) {
    if (slot_count == 0) {
        unrouted_.push_back(std::move(item));
        return;
    }
    const SlotId slot = slot_of(*item.op.service, slot_count);
    slots_[slot].fresh.push_back(std::move(item));
}

void WriteQueue::route(std::size_t slot_count) {
    for (Item& item : std::exchange(unrouted_, {})) {
        add(std::move(item), slot_count);
    }
}

ResendTimer& WriteQueue::timer_of(const NodeId& node) {
    return timers_.try_emplace(node, std::min(kResendMin, resend_interval_), resend_interval_)
        .first->second;
}

std::vector<WriteQueue::Item> WriteQueue::take_fresh(PerSlot& slot) {
    auto& fresh = slot.fresh;
    std::size_t count = 0;
    for (std::size_t bytes = 0;
         count < std::min(fresh.size(), kBatchOpsMax) && bytes < kBatchBytesMax; ++count) {
        const PublicationPtr& publication = fresh[count].op.publication;
        bytes += publication != nullptr ? content_bytes(*publication) : 0;
    }
    const auto end = fresh.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Item> items(std::make_move_iterator(fresh.begin()), std::make_move_iterator(end));
    fresh.erase(fresh.begin(), end);
    return items;
}

void WriteQueue::send_due(MonoTime now, const Sender& sender) {
    for (auto& [id, slot] : slots_) {
        const Route* route = sender.routes.find(id);
        if (route == nullptr || route->node == NodeId{}) {
            continue;
        }
        if (slot.in_flight) {
            Batch& batch = *slot.in_flight;
            if (now >= batch.resend_at) {
                batch.wait = std::min(batch.wait * 2, resend_interval_);
                send(id, batch, now, *route, sender);
            }
        } else if (now >= slot.not_before && !slot.fresh.empty()) {
            slot.in_flight = Batch{.number = ++last_batch_,
                                   .items = take_fresh(slot),
                                   .first_sent = now,
                                   .resend_at = {},
                                   .wait = timer_of(route->node).wait()};
            send(id, *slot.in_flight, now, *route, sender);
        }
    }
}

void WriteQueue::send(SlotId slot, Batch& batch, MonoTime now, const Route& route,
                      const Sender& sender) {
    batch.resend_at = now + batch.wait;
    msg::PublishBatch message{.session = sender.session,
                              .slot = slot,
                              .slot_epoch = route.epoch,
                              .batch = batch.number,
                              .acting = route.acting,
                              .ops = {},
                              .got_us = oldest_us(batch.items, now, sender.wall_us)};
    message.ops.reserve(batch.items.size());
    for (const Item& item : batch.items) {
        message.ops.push_back(item.op);
    }
    sender.outbox.send({route.node, Role::data}, std::move(message));
}

std::optional<MonoTime> WriteQueue::next_due(const SlotRoutes& routes) const {
    std::optional<MonoTime> due;
    const auto consider = [&](MonoTime at) { due = due ? std::min(*due, at) : at; };
    for (const auto& [id, slot] : slots_) {
        const Route* route = routes.find(id);
        if (route == nullptr || route->node == NodeId{}) {
            continue;
        }
        if (slot.in_flight) {
            consider(slot.in_flight->resend_at);
        } else if (!slot.fresh.empty()) {
            consider(slot.not_before);
        }
    }
    return due;
}

std::vector<WriteQueue::Acknowledged> WriteQueue::on_reply(const NodeId& from,
                                                           const msg::PublishBatchReply& reply,
                                                           MonoTime now) {
    std::vector<Acknowledged> acknowledged;
    const auto found = slots_.find(reply.slot);
    if (found == slots_.end() || !found->second.in_flight ||
        found->second.in_flight->number != reply.batch) {
        return acknowledged;
    }
    PerSlot& slot = found->second;
    Batch batch = *std::exchange(slot.in_flight, std::nullopt);
    timer_of(from).answered(now - batch.first_sent);
    if (!reply.result) {
        slot.fresh.insert(slot.fresh.begin(), std::make_move_iterator(batch.items.begin()),
                          std::make_move_iterator(batch.items.end()));
        slot.not_before = now + slot.refused_wait;
        slot.refused_wait = std::min(slot.refused_wait * 2, kRefusedWaitMax);
        return acknowledged;
    }
    slot.refused_wait = kRefusedWaitMin;
    for (Item& item : batch.items) {
        acknowledged.push_back({item.waiter, item.op.service, item.since});
        if (reply.acting) {
            auto& taken = slot.taken_acting[item.op.id];
            if (item.op.owner_seq >= taken.owner_seq) {
                taken = std::move(item.op);
            }
        }
    }
    if (empty(reply.slot) && slot.taken_acting.empty()) {
        slots_.erase(found);
    }
    return acknowledged;
}

void WriteQueue::restart(SlotId slot, const Present& present) {
    const auto found = slots_.find(slot);
    if (found == slots_.end()) {
        return;
    }
    PerSlot& known = found->second;
    std::deque<Item> items;
    for (auto& [id, op] : known.taken_acting) {
        items.push_back({std::move(op), WaiterId{}, MonoTime{}});
    }
    known.taken_acting.clear();
    if (known.in_flight) {
        std::ranges::move(known.in_flight->items, std::back_inserter(items));
        known.in_flight.reset();
    }
    std::ranges::move(known.fresh, std::back_inserter(items));
    // The removal that ended a queued registration may have been acknowledged by the leader before,
    // who took the memory of it along: only what is still so is said again.
    for (Item& item : items) {
        if (item.op.publication == nullptr) {
            continue;
        }
        if (const auto now = present(item.op.id)) {
            item.op = *now;
        } else {
            item.op.publication = nullptr;
            item.op.cause = RemovalCause::silent;
        }
    }
    known.fresh = std::move(items);
    known.not_before = MonoTime{};
    known.refused_wait = kRefusedWaitMin;
}

void WriteQueue::for_each(SlotId slot, const std::function<void(const Op&)>& visit) const {
    const auto known = slots_.find(slot);
    if (known == slots_.end()) {
        return;
    }
    std::map<std::uint64_t, const Op*> by_seq;
    if (known->second.in_flight) {
        for (const Item& item : known->second.in_flight->items) {
            by_seq.emplace(item.op.owner_seq, &item.op);
        }
    }
    for (const Item& item : known->second.fresh) {
        by_seq.emplace(item.op.owner_seq, &item.op);
    }
    for (const auto& [seq, op] : by_seq) {
        visit(*op);
    }
}

bool WriteQueue::has_up_to(SlotId slot, std::uint64_t seq) const {
    const auto known = slots_.find(slot);
    if (known == slots_.end()) {
        return false;
    }
    const auto old = [&](const Item& item) { return item.op.owner_seq <= seq; };
    return std::ranges::any_of(known->second.fresh, old) ||
           (known->second.in_flight && std::ranges::any_of(known->second.in_flight->items, old));
}

std::size_t WriteQueue::size() const {
    std::size_t count = unrouted_.size();
    for (const auto& [id, slot] : slots_) {
        count += slot.fresh.size() + (slot.in_flight ? slot.in_flight->items.size() : 0);
    }
    return count;
}

}  // namespace muster::session
