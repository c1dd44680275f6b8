#include "base/check.h"
#include "base/compression.h"
#include "doors/native_codec/encode_values.h"
#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/native_codec.h"

namespace muster::native {
namespace {

constexpr std::size_t kRefHint = 96;

void write_ref_fields(FieldWriter& writer, const RegistId& id, const Service& service,
                      const RegistOrder& order) {
    writer.bytes(ref_field::kId, id.raw());
    write_service(writer, ref_field::kService, service);
    write_order(writer, ref_field::kVersion, order);
}

void write_ref(FieldWriter& writer, const RegistId& id, const Service& service,
               const RegistOrder& order) {
    const auto mark = writer.begin(request_field::kItems, kRefHint);
    write_ref_fields(writer, id, service, order);
    writer.end(mark);
}

void write_subscription(FieldWriter& writer, const msg::Subscribe::Item& item) {
    const auto& wish = item.subscription;
    const auto mark = writer.begin(request_field::kItems, kRefHint + 64);
    write_ref_fields(writer, wish.id, *wish.service, wish.order);
    writer.varint(subscription_field::kScope, static_cast<std::uint64_t>(wish.scope));
    writer.bytes(subscription_field::kZone, wish.zone);
    writer.bytes(subscription_field::kApp, wish.app);
    writer.varint(subscription_field::kHeldVersion, item.held.raw());
    if (item.held != Version{}) {
        write_digest(writer, subscription_field::kHeldDigest, item.held_digest);
    }
    writer.end(mark);
}

void write_list_name(FieldWriter& writer, const Service& service, Scope scope,
                     std::string_view zone) {
    write_service(writer, push_field::kService, service);
    writer.varint(push_field::kScope, static_cast<std::uint64_t>(scope));
    writer.bytes(push_field::kZone, zone);
}

struct RequestEncoder {
    const RequestOptions& options;
    std::string out;

    void operator()(const msg::RegisterPublishers& request) {
        std::size_t size = 16;
        for (const auto& publication : request.publications) {
            size += size_hint(*publication) + kRefHint;
        }
        out.reserve(size);
        FieldWriter writer(out);
        for (const auto& publication : request.publications) {
            write_publication(writer, request_field::kItems, *publication, WithService::yes);
        }
        writer.sint(request_field::kLeaseMs, to_ms(request.lease));
    }
    void operator()(const msg::UnregisterPublishers& request) {
        write_refs(request.items);
    }
    void operator()(const msg::Subscribe& request) {
        FieldWriter writer(out);
        for (const auto& item : request.items) {
            write_subscription(writer, item);
        }
        writer.varint(request_field::kTakesPacked, options.takes_packed ? 1 : 0);
    }
    void operator()(const msg::Unsubscribe& request) {
        write_refs(request.items);
    }
    void operator()(const msg::WatchConfig& request) {
        FieldWriter writer(out);
        write_ref(writer, request.watch.id, *request.watch.key, request.watch.order);
    }
    void operator()(const msg::UnwatchConfig& request) {
        FieldWriter writer(out);
        write_ref(writer, request.watch.id, *request.watch.key, request.watch.order);
    }
    void operator()(const msg::PushAck& ack) {
        FieldWriter writer(out);
        write_list_name(writer, *ack.service, ack.scope, ack.zone);
        writer.varint(push_field::kVersion, ack.version.raw());
        writer.varint(ack_field::kResendFull, ack.ok ? 0 : 1);
    }

private:
    template <typename Items>
    void write_refs(const Items& items) {
        FieldWriter writer(out);
        for (const auto& item : items) {
            write_ref(writer, item.id, *item.service, item.order);
        }
    }
};

void write_ids(FieldWriter& writer, std::uint32_t number, std::span<const RegistId> ids) {
    for (const auto& id : ids) {
        writer.element(number, id.raw());
    }
}

std::size_t body_size_hint(const ServiceView& view, const ViewDelta* delta) {
    std::size_t size = 256;
    for (const auto& publication : delta != nullptr ? delta->upserts : view.publications) {
        size += size_hint(*publication) + 4;
    }
    return size;
}

}  // namespace

std::string_view class_name(const msg::ClientMessage& message) {
    constexpr std::string_view kNames[] = {kRegisterClass,    kUnregisterClass, kSubscribeClass,
                                           kUnsubscribeClass, kWatchClass,      kUnwatchClass,
                                           kPushAckClass};
    static_assert(std::size(kNames) == std::variant_size_v<msg::ClientMessage>);
    return kNames[message.index()];
}

bool expects_reply(const msg::ClientMessage& message) {
    return !std::holds_alternative<msg::PushAck>(message);
}

msg::RequestId request_id(const msg::ClientMessage& message) {
    return std::visit(
        [](const auto& body) {
            if constexpr (requires { body.request; }) {
                return body.request;
            } else {
                return msg::RequestId{};
            }
        },
        message);
}

std::string encode(const msg::ClientMessage& message, const RequestOptions& options) {
    RequestEncoder encoder{.options = options, .out = {}};
    std::visit(encoder, message);
    return std::move(encoder.out);
}

std::string encode(const msg::RequestReply& reply) {
    std::string out;
    out.reserve(reply.outcomes.size() * 56);
    FieldWriter writer(out);
    for (const auto& outcome : reply.outcomes) {
        const auto mark = writer.begin(reply_field::kOutcomes, outcome.id.raw().size() + 6);
        writer.bytes(outcome_field::kId, outcome.id.raw());
        writer.sint(outcome_field::kVersion, outcome.version);
        if (!outcome.result) {
            writer.bytes(outcome_field::kCode, info(outcome.result.error().code).name);
            writer.bytes(outcome_field::kDetail, outcome.result.error().detail);
        }
        writer.end(mark);
    }
    return out;
}

std::string encode_failure(const Error& error) {
    std::string out;
    FieldWriter writer(out);
    writer.bytes(reply_field::kCode, info(error.code).name);
    writer.bytes(reply_field::kDetail, error.detail);
    return out;
}

std::string encode(const msg::ConfigPush& push) {
    std::string out;
    FieldWriter writer(out);
    write_service(writer, config_push_field::kKey, *push.key);
    writer.varint(config_push_field::kVersion, push.version.raw());
    if (push.value != nullptr) {
        writer.element(config_push_field::kValue, *push.value);
    }
    write_ids(writer, config_push_field::kWatchIds, push.watchers);
    return out;
}

std::string encode(const msg::ServerHint& hint) {
    std::string out;
    FieldWriter writer(out);
    for (const auto& server : hint.servers) {
        writer.element(hint_field::kServers, server);
    }
    writer.bytes(hint_field::kMoveTo, hint.move_to);
    return out;
}

std::string encode(const msg::Push& push) {
    std::string out = encode_push_body(*push.view, push.delta.get(), push.scope, push.zone);
    FieldWriter writer(out);
    write_ids(writer, push_field::kSubscriptionIds, push.subscribers);
    return out;
}

std::string encode_push_body(const ServiceView& view, const ViewDelta* delta, Scope scope,
                             std::string_view zone) {
    // Only a holder of the list can tell; a decoded delta has none.
    const bool list_is_shorter =
        delta != nullptr && !view.publications.empty() &&
        delta->upserts.size() + delta->removals.size() >= view.publications.size();
    const ViewDelta* used = list_is_shorter ? nullptr : delta;
    std::string out;
    out.reserve(body_size_hint(view, used));
    FieldWriter writer(out);
    write_list_name(writer, *view.service, scope, zone);
    writer.varint(push_field::kVersion, view.version.raw());
    writer.varint(push_field::kComplete, view.complete ? 1 : 0);
    write_digest(writer, push_field::kDigest, view.digest);
    for (const auto& publication : used != nullptr ? used->upserts : view.publications) {
        write_publication(writer, push_field::kPublications, *publication, WithService::no);
    }
    if (used != nullptr) {
        CHECK_BECAUSE(used->from != Version{}, "there is no list of version zero to start from");
        writer.varint(push_field::kFromVersion, used->from.raw());
        write_ids(writer, push_field::kRemovedIds, used->removals);
    }
    return out;
}

std::string pack_push_body(std::string_view body) {
    constexpr int kLevel = 1;  // the event loop waits for it
    std::string out;
    FieldWriter writer(out);
    writer.bytes(packed_push_field::kZstd, compress(body, kLevel));
    return out;
}

std::string encode_push_tail(std::span<const std::string_view> subscribers) {
    std::string out;
    FieldWriter writer(out);
    for (const std::string_view id : subscribers) {
        writer.element(push_field::kSubscriptionIds, id);
    }
    return out;
}

}  // namespace muster::native
