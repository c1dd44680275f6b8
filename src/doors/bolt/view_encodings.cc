#include "doors/bolt/view_encodings.h"

#include <memory>
#include <utility>

#include "doors/bolt/sofa_answers.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr std::size_t kEntriesMax = 32;

}  // namespace

EncodedView ViewEncodings::encode(const ServiceViewPtr& view, Scope scope, std::string_view zone,
                                  std::string_view center) {
    for (const Entry& entry : entries_) {
        if (entry.view == view && entry.scope == scope && entry.zone == zone) {
            reused_.add();
            return entry.encoded;
        }
    }
    made_.add();
    auto body = std::make_shared<const std::string>(
        sofa::received_data_body({.view = *view, .scope = scope, .zone = zone, .center = center}));
    const EncodedView encoded{.body = body, .crc = bolt::crc32(*body)};
    bytes_ += body->size();
    entries_.push_front(
        {.view = view, .scope = scope, .zone = std::string(zone), .encoded = encoded});
    while (entries_.size() > 1 && (entries_.size() > kEntriesMax || bytes_ > bytes_max_)) {
        bytes_ -= entries_.back().encoded.body->size();
        entries_.pop_back();
    }
    return encoded;
}

}  // namespace muster::doors
