#include "doors/native/push_bodies.h"

#include <memory>

#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr std::size_t kEntriesMax = 32;

}  // namespace

PushBodies::Entry& PushBodies::find_or_encode(const msg::PushOrder& order) {
    const Version from = order.delta != nullptr ? order.delta->from : Version{};
    for (Entry& entry : entries_) {
        if (entry.view == order.view && entry.from == from && entry.scope == order.scope &&
            entry.zone == order.zone) {
            reused_.add();
            return entry;
        }
    }
    made_.add();
    auto bytes = std::make_shared<const std::string>(
        native::encode_push_body(*order.view, order.delta.get(), order.scope, order.zone));
    bytes_ += bytes->size();
    entries_.push_front({.view = order.view,
                         .from = from,
                         .scope = order.scope,
                         .zone = order.zone,
                         .body = {.bytes = bytes, .crc = bolt::crc32(*bytes)},
                         .packed = {}});
    keep_bound();
    return entries_.front();
}

void PushBodies::keep_bound() {
    while (entries_.size() > 1 && (entries_.size() > kEntriesMax || bytes_ > bytes_max_)) {
        const Entry& oldest = entries_.back();
        bytes_ -= oldest.body.bytes->size();
        bytes_ -= oldest.packed && oldest.packed->packed ? oldest.packed->bytes->size() : 0;
        entries_.pop_back();
    }
}

PushBody PushBodies::encode(const msg::PushOrder& order, bool takes_packed) {
    Entry& entry = find_or_encode(order);
    if (!takes_packed || packed_above_ == 0 || entry.body.bytes->size() <= packed_above_) {
        return entry.body;
    }
    if (!entry.packed) {
        auto bytes = std::make_shared<const std::string>(native::pack_push_body(*entry.body.bytes));
        entry.packed = entry.body;
        if (bytes->size() < entry.body.bytes->size()) {
            packed_.add();
            bytes_ += bytes->size();
            entry.packed = {.bytes = bytes, .crc = bolt::crc32(*bytes), .packed = true};
        }
    }
    return *entry.packed;
}

}  // namespace muster::doors
