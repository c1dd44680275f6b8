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

void WriteQueue::send_due(MonoTime now, const Sender& sender) {
    for (auto& [id, slot] : slots_) {
        const Route* route = sender.routes.find(id);
        if (route == nullptr || route->node == NodeId{}) {
            continue;
        }
        for (auto& [batch_id, batch] : slot.in_flight) {
            if (now >= batch.resend_at) {
                batch.wait = std::min(batch.wait * 2, resend_interval_);
                send(id, batch_id, batch, now, *route, sender);
            }
        }
        if (now < slot.not_before) {
            continue;
        }
        auto& fresh = slot.fresh;
        for (std::size_t begin = 0, end = 0; begin < fresh.size(); begin = end) {
            for (std::size_t bytes = 0;
                 end < fresh.size() && end - begin < kBatchOpsMax && bytes < kBatchBytesMax;
                 ++end) {
                const PublicationPtr& publication = fresh[end].op.publication;
                bytes += publication != nullptr ? content_bytes(*publication) : 0;
            }
            Batch& batch = slot.in_flight[++last_batch_];
            batch.wait = std::min(batch.wait, resend_interval_);
            batch.items.assign(
                std::make_move_iterator(fresh.begin() + static_cast<std::ptrdiff_t>(begin)),
                std::make_move_iterator(fresh.begin() + static_cast<std::ptrdiff_t>(end)));
            send(id, last_batch_, batch, now, *route, sender);
        }
        fresh.clear();
    }
}

void WriteQueue::send(SlotId slot, std::uint64_t id, Batch& batch, MonoTime now, const Route& route,
                      const Sender& sender) {
    batch.resend_at = now + batch.wait;
    msg::PublishBatch message{.session = sender.session,
                              .slot = slot,
                              .slot_epoch = route.epoch,
                              .batch = id,
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
        for (const auto& [batch_id, batch] : slot.in_flight) {
            consider(batch.resend_at);
        }
        if (!slot.fresh.empty()) {
            consider(slot.not_before);
        }
    }
    return due;
}

std::vector<WriteQueue::Acknowledged> WriteQueue::on_reply(const msg::PublishBatchReply& reply,
                                                           MonoTime now) {
    std::vector<Acknowledged> acknowledged;
    const auto slot = slots_.find(reply.slot);
    if (slot == slots_.end()) {
        return acknowledged;
    }
    const auto batch = slot->second.in_flight.find(reply.batch);
    if (batch == slot->second.in_flight.end()) {
        return acknowledged;
    }
    if (!reply.result) {
        auto& fresh = slot->second.fresh;
        fresh.insert(fresh.begin(), std::make_move_iterator(batch->second.items.begin()),
                     std::make_move_iterator(batch->second.items.end()));
        slot->second.in_flight.erase(batch);
        auto& wait = slot->second.refused_wait;
        slot->second.not_before = now + wait;
        wait = std::min(wait * 2, kRefusedWaitMax);
        return acknowledged;
    }
    slot->second.refused_wait = kRefusedWaitMin;
    for (Item& item : batch->second.items) {
        acknowledged.push_back({item.waiter, item.op.service, item.since});
        if (reply.acting) {
            auto& taken = slot->second.taken_acting[item.op.id];
            if (item.op.owner_seq >= taken.owner_seq) {
                taken = std::move(item.op);
            }
        }
    }
    slot->second.in_flight.erase(batch);
    if (empty(reply.slot) && slot->second.taken_acting.empty()) {
        slots_.erase(slot);
    }
    return acknowledged;
}

void WriteQueue::restart(SlotId slot, const Present& present) {
    const auto found = slots_.find(slot);
    if (found == slots_.end()) {
        return;
    }
    PerSlot& known = found->second;
    std::vector<Item> items;
    for (auto& [id, op] : known.taken_acting) {
        items.push_back({std::move(op), WaiterId{}, MonoTime{}});
    }
    known.taken_acting.clear();
    for (auto& [id, batch] : known.in_flight) {
        std::ranges::move(batch.items, std::back_inserter(items));
    }
    known.in_flight.clear();
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
    for (const auto& [batch_id, batch] : known->second.in_flight) {
        for (const Item& item : batch.items) {
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
           std::ranges::any_of(known->second.in_flight, [&](const auto& batch) {
               return std::ranges::any_of(batch.second.items, old);
           });
}

std::size_t WriteQueue::size() const {
    std::size_t count = unrouted_.size();
    for (const auto& [id, slot] : slots_) {
        count += slot.fresh.size();
        for (const auto& [batch_id, batch] : slot.in_flight) {
            count += batch.items.size();
        }
    }
    return count;
}

}  // namespace muster::session
