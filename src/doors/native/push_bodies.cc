#include "doors/native/push_bodies.h"

#include <memory>

#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr std::size_t kEntriesMax = 32;

}  // namespace

PushBody PushBodies::encode(const msg::PushOrder& order) {
    const Version from = order.delta != nullptr ? order.delta->from : Version{};
    for (const Entry& entry : entries_) {
        if (entry.view == order.view && entry.from == from && entry.scope == order.scope &&
            entry.zone == order.zone) {
            reused_.add();
            return entry.body;
        }
    }
    made_.add();
    auto bytes = std::make_shared<const std::string>(
        native::encode_push_body(*order.view, order.delta.get(), order.scope, order.zone));
    const PushBody body{.bytes = bytes, .crc = bolt::crc32(*bytes)};
    bytes_ += bytes->size();
    entries_.push_front(
        {.view = order.view, .from = from, .scope = order.scope, .zone = order.zone, .body = body});
    while (entries_.size() > 1 && (entries_.size() > kEntriesMax || bytes_ > bytes_max_)) {
        bytes_ -= entries_.back().body.bytes->size();
        entries_.pop_back();
    }
    return body;
}

}  // namespace muster::doors
