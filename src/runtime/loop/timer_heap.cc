#include "runtime/loop/timer_heap.h"

#include "base/check.h"

namespace muster::runtime {

TimerHeap::Slot TimerHeap::add(MonoTime deadline, LoopTimers& owner, env::TimerKey key) {
    Slot slot = 0;
    if (free_.empty()) {
        slot = static_cast<Slot>(entries_.size());
        entries_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    entries_[slot].due = Due{.owner = &owner, .key = key};
    const Node node{.deadline = deadline, .seq = next_seq_++, .slot = slot};
    heap_.push_back(node);
    sift_up(heap_.size() - 1, node);
    return slot;
}

void TimerHeap::move(Slot slot, MonoTime deadline) {
    const std::size_t place = entries_[slot].place;
    const Node node{.deadline = deadline, .seq = next_seq_++, .slot = slot};
    if (earlier(node, heap_[place])) {
        sift_up(place, node);
    } else {
        sift_down(place, node);
    }
}

void TimerHeap::remove(Slot slot) {
    remove_at(entries_[slot].place);
    free_.push_back(slot);
}

std::optional<TimerHeap::Due> TimerHeap::take_due(MonoTime now, std::uint64_t before_seq) {
    if (heap_.empty() || heap_.front().deadline > now || heap_.front().seq >= before_seq) {
        return std::nullopt;
    }
    const Slot slot = heap_.front().slot;
    remove_at(0);
    free_.push_back(slot);
    return entries_[slot].due;
}

std::optional<MonoTime> TimerHeap::earliest() const {
    if (heap_.empty()) {
        return std::nullopt;
    }
    return heap_.front().deadline;
}

void TimerHeap::put(std::size_t place, const Node& node) {
    heap_[place] = node;
    entries_[node.slot].place = place;
}

void TimerHeap::sift_up(std::size_t place, const Node& node) {
    while (place > 0) {
        const std::size_t parent = (place - 1) / 2;
        if (!earlier(node, heap_[parent])) {
            break;
        }
        put(place, heap_[parent]);
        place = parent;
    }
    put(place, node);
}

void TimerHeap::sift_down(std::size_t place, const Node& node) {
    for (;;) {
        std::size_t child = 2 * place + 1;
        if (child >= heap_.size()) {
            break;
        }
        if (child + 1 < heap_.size() && earlier(heap_[child + 1], heap_[child])) {
            ++child;
        }
        if (!earlier(heap_[child], node)) {
            break;
        }
        put(place, heap_[child]);
        place = child;
    }
    put(place, node);
}

void TimerHeap::remove_at(std::size_t place) {
    CHECK(place < heap_.size());
    const Node last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) {
        return;
    }
    if (place > 0 && earlier(last, heap_[(place - 1) / 2])) {
        sift_up(place, last);
    } else {
        sift_down(place, last);
    }
}

}  // namespace muster::runtime
