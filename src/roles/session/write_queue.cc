#include "roles/session/write_queue.h"

#include <algorithm>

namespace muster::session {

void WriteQueue::add(Op op, WaiterId waiter, const SlotTable& table) {
    if (table.slots.empty()) {
        unrouted_.push_back({std::move(op), waiter});
        return;
    }
    const SlotId slot = slot_of(*op.service, table.slots.size());
    slots_[slot].fresh.push_back({std::move(op), waiter});
}

void WriteQueue::route(const SlotTable& table) {
    for (Item& item : std::exchange(unrouted_, {})) {
        add(std::move(item.op), item.waiter, table);
    }
}

void WriteQueue::send_due(MonoTime now, const Sender& sender) {
    for (auto& [id, slot] : slots_) {
        for (auto& [batch_id, batch] : slot.in_flight) {
            if (now - batch.sent_at >= resend_interval_) {
                batch.sent_at = now;
                send(id, batch_id, batch, sender);
            }
        }
        if (now < slot.not_before) {
            continue;
        }
        auto& fresh = slot.fresh;
        for (std::size_t begin = 0; begin < fresh.size(); begin += kBatchOpsMax) {
            const std::size_t end = std::min(begin + kBatchOpsMax, fresh.size());
            Batch& batch = slot.in_flight[++last_batch_];
            batch.sent_at = now;
            batch.items.assign(
                std::make_move_iterator(fresh.begin() + static_cast<std::ptrdiff_t>(begin)),
                std::make_move_iterator(fresh.begin() + static_cast<std::ptrdiff_t>(end)));
            send(id, last_batch_, batch, sender);
        }
        fresh.clear();
    }
}

void WriteQueue::send(SlotId slot, std::uint64_t id, const Batch& batch, const Sender& sender) {
    const Slot& place = sender.table.slots[slot.raw()];
    if (place.leader == NodeId{}) {
        return;
    }
    msg::PublishBatch message{
        .session = sender.session, .slot = slot, .slot_epoch = place.epoch, .batch = id};
    message.ops.reserve(batch.items.size());
    for (const Item& item : batch.items) {
        message.ops.push_back(item.op);
    }
    sender.outbox.send({place.leader, Role::data}, std::move(message));
}

std::vector<WaiterId> WriteQueue::on_reply(const msg::PublishBatchReply& reply, MonoTime now) {
    std::vector<WaiterId> waiters;
    const auto slot = slots_.find(reply.slot);
    if (slot == slots_.end()) {
        return waiters;
    }
    const auto batch = slot->second.in_flight.find(reply.batch);
    if (batch == slot->second.in_flight.end()) {
        return waiters;
    }
    if (!reply.result) {
        auto& fresh = slot->second.fresh;
        fresh.insert(fresh.begin(), std::make_move_iterator(batch->second.items.begin()),
                     std::make_move_iterator(batch->second.items.end()));
        slot->second.in_flight.erase(batch);
        slot->second.not_before = now + refused_wait_;
        return waiters;
    }
    for (const Item& item : batch->second.items) {
        if (item.waiter != WaiterId{}) {
            waiters.push_back(item.waiter);
        }
    }
    slot->second.in_flight.erase(batch);
    if (slot->second.in_flight.empty() && slot->second.fresh.empty()) {
        slots_.erase(slot);
    }
    return waiters;
}

void WriteQueue::restart(SlotId slot, const Present& present) {
    const auto found = slots_.find(slot);
    if (found == slots_.end()) {
        return;
    }
    PerSlot& known = found->second;
    std::vector<Item> items;
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
            item.op.cause = RemovalCause::closed;
        }
    }
    known.fresh = std::move(items);
    known.not_before = MonoTime{};
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
