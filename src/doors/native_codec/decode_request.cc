#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/native_codec.h"
#include "doors/native_codec/value_decoder.h"

namespace muster::native {
namespace {

constexpr std::uint64_t kItemsKey = key(request_field::kItems, WireType::bytes);

Result<msg::ClientMessage> decode_register(std::string_view bytes, const RequestContext& context,
                                           const CodecLimits& limits) {
    ValueDecoder values(limits);
    msg::RegisterPublishers request{.request = context.request};
    const ValueDecoder::PublicationContext from{.service = nullptr,
                                                .client_address = context.client_address};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == kItemsKey) {
            MUSTER_ASSIGN(publication, values.publication(field.bytes, from));
            request.publications.push_back(std::move(publication));
        } else if (key(field) == key(request_field::kLeaseMs, WireType::varint)) {
            const auto lease_max_ms = static_cast<std::uint64_t>(to_ms(limits.lease_max));
            if (field.value > lease_max_ms) {  // negative ones are larger still
                return fail(Errc::invalid_argument,
                            "lease is not within 0 and " + std::to_string(lease_max_ms) + " ms");
            }
            request.lease = std::chrono::milliseconds(static_cast<std::int64_t>(field.value));
        }
    }
    if (reader.broken()) {
        return malformed("the request");
    }
    return request;
}

// UnregisterPublishers and Unsubscribe.
template <typename Request>
Result<msg::ClientMessage> decode_refs(std::string_view bytes, const RequestContext& context,
                                       const CodecLimits& limits) {
    ValueDecoder values(limits);
    Request request{.request = context.request};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == kItemsKey) {
            MUSTER_ASSIGN(ref, values.ref(field.bytes));
            request.items.push_back(
                {.id = std::move(ref.id), .service = std::move(ref.service), .order = ref.order});
        }
    }
    if (reader.broken()) {
        return malformed("the request");
    }
    return request;
}

// WatchConfig and UnwatchConfig.
template <typename Request>
Result<msg::ClientMessage> decode_watch(std::string_view bytes, const RequestContext& context,
                                        const CodecLimits& limits) {
    ValueDecoder values(limits);
    Request request{.request = context.request};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == kItemsKey) {
            MUSTER_ASSIGN(ref, values.ref(field.bytes));
            request.watch = {
                .id = std::move(ref.id), .key = std::move(ref.service), .order = ref.order};
        }
    }
    if (reader.broken()) {
        return malformed("the request");
    }
    if (request.watch.key == nullptr) {
        return fail(Errc::invalid_argument, "nothing is watched");
    }
    return request;
}

Result<void> read_subscription_field(const Field& field, const ValueDecoder& values,
                                     msg::Subscribe::Item& item) {
    switch (key(field)) {
        case key(subscription_field::kScope, WireType::varint): {
            MUSTER_ASSIGN(scope, values.scope(field.value));
            item.subscription.scope = scope;
            break;
        }
        case key(subscription_field::kZone, WireType::bytes): {
            MUSTER_ASSIGN(zone, values.name(field.bytes, "a zone"));
            if (!zone.empty()) {
                item.subscription.zone = std::move(zone);
            }
            break;
        }
        case key(subscription_field::kApp, WireType::bytes): {
            MUSTER_ASSIGN(app, values.name(field.bytes, "an app"));
            item.subscription.app = std::move(app);
            break;
        }
        case key(subscription_field::kHeldVersion, WireType::varint): {
            MUSTER_ASSIGN(held, values.version(field.value));
            item.held = held;
            break;
        }
        case key(subscription_field::kHeldDigest, WireType::bytes): {
            MUSTER_ASSIGN(digest, values.digest(field.bytes));
            item.held_digest = digest;
            break;
        }
        default: break;
    }
    return {};
}

Result<msg::Subscribe::Item> decode_subscription(std::string_view bytes, ValueDecoder& values) {
    MUSTER_TRY(values.count_item());
    msg::Subscribe::Item item;
    ValueDecoder::Ref ref;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        MUSTER_TRY(values.read_ref_field(field, ref));
        MUSTER_TRY(read_subscription_field(field, values, item));
    }
    if (reader.broken()) {
        return malformed("a subscription");
    }
    MUSTER_TRY(values.check_ref(ref));
    item.subscription.id = std::move(ref.id);
    item.subscription.service = std::move(ref.service);
    item.subscription.order = ref.order;
    return item;
}

Result<msg::ClientMessage> decode_subscribe(std::string_view bytes, const RequestContext& context,
                                            const CodecLimits& limits) {
    ValueDecoder values(limits);
    msg::Subscribe request{.request = context.request};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == kItemsKey) {
            MUSTER_ASSIGN(item, decode_subscription(field.bytes, values));
            request.items.push_back(std::move(item));
        }
    }
    if (reader.broken()) {
        return malformed("the request");
    }
    return request;
}

Result<msg::ClientMessage> decode_push_ack(std::string_view bytes, const RequestContext& /*none*/,
                                           const CodecLimits& limits) {
    ValueDecoder values(limits);
    msg::PushAck ack;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(push_field::kService, WireType::bytes): {
                MUSTER_ASSIGN(service, values.service(field.bytes));
                ack.service = std::move(service);
                break;
            }
            case key(push_field::kScope, WireType::varint): {
                MUSTER_ASSIGN(scope, values.scope(field.value));
                ack.scope = scope;
                break;
            }
            case key(push_field::kZone, WireType::bytes): {
                MUSTER_ASSIGN(zone, values.name(field.bytes, "a zone"));
                ack.zone = std::move(zone);
                break;
            }
            case key(push_field::kVersion, WireType::varint): {
                MUSTER_ASSIGN(version, values.version(field.value));
                ack.version = version;
                break;
            }
            case key(ack_field::kResendFull, WireType::varint): ack.ok = field.value == 0; break;
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("the acknowledgement");
    }
    if (ack.service == nullptr) {
        return fail(Errc::invalid_argument, "an acknowledgement has no service");
    }
    return ack;
}

using Decoder = Result<msg::ClientMessage> (*)(std::string_view, const RequestContext&,
                                               const CodecLimits&);
struct Entry {
    std::string_view class_name;
    Decoder decode;
};

constexpr Entry kDecoders[] = {
    {kRegisterClass, decode_register},
    {kUnregisterClass, decode_refs<msg::UnregisterPublishers>},
    {kSubscribeClass, decode_subscribe},
    {kUnsubscribeClass, decode_refs<msg::Unsubscribe>},
    {kWatchClass, decode_watch<msg::WatchConfig>},
    {kUnwatchClass, decode_watch<msg::UnwatchConfig>},
    {kPushAckClass, decode_push_ack},
};

}  // namespace

bool says_takes_packed(std::string_view class_name, std::string_view bytes) {
    bool takes = false;
    if (class_name == kSubscribeClass) {
        FieldReader reader(bytes);
        for (Field field; reader.next(field);) {
            if (key(field) == key(request_field::kTakesPacked, WireType::varint)) {
                takes = field.value != 0;
            }
        }
    }
    return takes;
}

Result<msg::ClientMessage> decode_request(std::string_view class_name, std::string_view bytes,
                                          const RequestContext& context,
                                          const CodecLimits& limits) {
    MUSTER_TRY(check_size(bytes, limits));
    for (const auto& entry : kDecoders) {
        if (entry.class_name == class_name) {
            return entry.decode(bytes, context, limits);
        }
    }
    return fail(Errc::unknown_type, "no message has this class name");
}

}  // namespace muster::native
