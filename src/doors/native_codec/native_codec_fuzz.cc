#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/mark_codec.h"
#include "doors/native_codec/native_codec.h"

// The first byte chooses the message, the rest are its bytes. What is accepted must come back from
// its own encoding, byte for byte.
namespace muster::native {
namespace {

constexpr std::string_view kRequests[] = {kRegisterClass,    kUnregisterClass, kSubscribeClass,
                                          kUnsubscribeClass, kWatchClass,      kUnwatchClass,
                                          kPushAckClass};
constexpr std::string_view kFromServer[] = {kPushClass, kConfigPushClass, kServerHintClass};

void check_request(std::string_view class_name, std::string_view bytes) {
    const RequestContext context{.request = msg::RequestId(1), .client_address = "1.2.3.4:5"};
    const auto first = decode_request(class_name, bytes, context, {});
    if (!first) {
        return;
    }
    const std::string encoded = encode(*first);
    const auto second = decode_request(class_name, encoded, context, {});
    CHECK(second.has_value());
    CHECK(encode(*second) == encoded);
}

std::string encode_any(const ServerMessage& message) {
    return std::visit([](const auto& body) { return encode(body); }, message);
}

void check_server_message(std::string_view class_name, std::string_view bytes) {
    const auto first = decode_server_message(class_name, bytes, {});
    if (!first) {
        return;
    }
    const std::string encoded = encode_any(*first);
    const auto second = decode_server_message(class_name, encoded, {});
    CHECK(second.has_value());
    CHECK(encode_any(*second) == encoded);
}

// Packed or not, it says the same.
void check_packed_push(std::string_view bytes) {
    static_cast<void>(decode_server_message(kPackedPushClass, bytes, {}));
    const auto plain = decode_server_message(kPushClass, bytes, {});
    const auto packed = decode_server_message(kPackedPushClass, pack_push_body(bytes), {});
    CHECK(plain.has_value() == packed.has_value());
    if (plain) {
        auto same = std::get<msg::Push>(*plain);
        same.subscribers.clear();  // of a packed one they stand outside
        CHECK(encode(same) == encode_any(*packed));
    }
}

void check_response(std::string_view bytes) {
    const ResponseHead head{.request = msg::RequestId(1), .class_name = kReplyClass};
    const auto first = decode_response(head, bytes, {});
    if (first && std::holds_alternative<msg::RequestReply>(*first)) {
        const std::string encoded = encode(std::get<msg::RequestReply>(*first));
        CHECK(decode_response(head, encoded, {}).has_value());
    }
}

void check_mark(std::string_view bytes) {
    const msg::RequestId request(1);
    if (const auto first = decode_mark_request(bytes, request, {})) {
        const std::string encoded = encode(*first);
        const auto second = decode_mark_request(encoded, request, {});
        CHECK(second.has_value());
        CHECK(encode(*second) == encoded);
    }
    if (const auto first = decode_mark_reply(bytes, request, {})) {
        const std::string encoded = encode(*first);
        const auto second = decode_mark_reply(encoded, request, {});
        CHECK(second.has_value());
        CHECK(encode(*second) == encoded);
    }
}

}  // namespace
}  // namespace muster::native

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster::native;
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t choice = data[0] % (std::size(kRequests) + std::size(kFromServer) + 3);
    if (choice < std::size(kRequests)) {
        check_request(kRequests[choice], bytes);
    } else if (choice < std::size(kRequests) + std::size(kFromServer)) {
        check_server_message(kFromServer[choice - std::size(kRequests)], bytes);
    } else if (choice == std::size(kRequests) + std::size(kFromServer) + 1) {
        check_packed_push(bytes);
    } else if (choice == std::size(kRequests) + std::size(kFromServer) + 2) {
        check_mark(bytes);
    } else {
        check_response(bytes);
    }
    return 0;
}
