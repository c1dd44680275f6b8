#include "msg/codec/cluster_codec.h"

#include <array>
#include <utility>
#include <variant>

#include "msg/codec/brake_fields.h"
#include "msg/codec/data_data_fields.h"
#include "msg/codec/history_fields.h"
#include "msg/codec/message_tags.h"
#include "msg/codec/model_fields.h"
#include "msg/codec/node_meta_fields.h"
#include "msg/codec/propagation_fields.h"
#include "msg/codec/reader.h"
#include "msg/codec/session_data_fields.h"
#include "msg/codec/verify_fields.h"
#include "msg/codec/writer.h"

namespace muster::msg {
namespace {

constexpr std::size_t kMessages = std::variant_size_v<ClusterMessage>;

template <std::size_t I>
using MessageAt = std::variant_alternative_t<I, ClusterMessage>;

template <std::size_t... I>
constexpr std::array<std::uint32_t, kMessages> tags(std::index_sequence<I...> /*all*/) {
    return {codec::kTag<MessageAt<I>>...};
}

constexpr auto kTags = tags(std::make_index_sequence<kMessages>{});

constexpr bool all_differ() {
    for (std::size_t i = 0; i < kTags.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (kTags[i] == kTags[j]) {
                return false;
            }
        }
    }
    return true;
}

constexpr bool all_given() {
    for (const std::uint32_t tag : kTags) {
        if (tag == 0) {
            return false;
        }
    }
    return true;
}

static_assert(all_given(), "a new message needs a tag in message_tags.h and its fields()");
static_assert(all_differ(), "each message has a tag of its own");

template <std::size_t... I>
bool read_tagged(codec::Reader& reader, std::uint64_t tag, ClusterMessage& message,
                 std::index_sequence<I...> /*all*/) {
    const auto read = [&](auto& body) {
        fields(reader, body);
        return true;
    };
    return ((tag == kTags[I] && read(message.emplace<I>())) || ...);
}

}  // namespace

void encode_to(std::string& out, const ClusterMessage& message) {
    codec::Writer writer(out);
    writer.put_varint(kTags[message.index()]);
    std::visit([&](const auto& body) { fields(writer, body); }, message);
}

std::string encode(const ClusterMessage& message) {
    std::string out;
    encode_to(out, message);
    return out;
}

Result<ClusterMessage> decode_cluster_message(std::string_view bytes,
                                              const ClusterCodecLimits& limits) {
    if (bytes.size() > limits.message_bytes_max) {
        return fail(Errc::too_large, "a message of " + std::to_string(bytes.size()) +
                                         " bytes; at most " +
                                         std::to_string(limits.message_bytes_max));
    }
    codec::Reader reader(bytes, limits.memory_max);
    const std::uint64_t tag = reader.take_varint();
    ClusterMessage message;
    const bool known =
        !reader.ok() || read_tagged(reader, tag, message, std::make_index_sequence<kMessages>{});
    if (!reader.ok()) {
        return wrap("a message of type " + std::to_string(tag), reader.fault());
    }
    if (!known) {
        return fail(Errc::unknown_type, "a message of type " + std::to_string(tag) +
                                            ", which this release does not know");
    }
    return message;
}

}  // namespace muster::msg
