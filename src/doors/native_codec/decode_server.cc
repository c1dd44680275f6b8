#include <algorithm>

#include "base/compression.h"
#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/native_codec.h"
#include "doors/native_codec/value_decoder.h"

namespace muster::native {
namespace {

Errc errc_named(std::string_view name) {
#define X(code, ...)       \
    if (name == #code) {   \
        return Errc::code; \
    }
    MUSTER_ERRC_LIST(X)
#undef X
    return Errc::internal;  // of a newer server; the detail says what it is
}

Errc errc_of_status(std::uint16_t bolt_status) {
    switch (bolt_status) {
        case 4: return Errc::busy;
        case 6: return Errc::unknown_type;
        case 7: return Errc::timeout;
        case 9: return Errc::bad_frame;
        case 0x10: return Errc::closed;
        case 0x12: return Errc::bad_content;
        default: return Errc::internal;
    }
}

Result<Error> make_error(std::string_view code, std::string_view detail) {
    if (!is_utf8(detail)) {
        return malformed("a detail");
    }
    return Error{.code = errc_named(code), .detail = std::string(detail)};
}

Result<msg::RequestReply::Outcome> decode_outcome(std::string_view bytes, ValueDecoder& values) {
    MUSTER_TRY(values.count_item());
    msg::RequestReply::Outcome outcome;
    std::string_view code;
    std::string_view detail;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(outcome_field::kId, WireType::bytes): {
                MUSTER_ASSIGN(id, values.id(field.bytes));
                outcome.id = std::move(id);
                break;
            }
            case key(outcome_field::kVersion, WireType::varint):
                outcome.version = static_cast<std::int64_t>(field.value);
                break;
            case key(outcome_field::kCode, WireType::bytes): code = field.bytes; break;
            case key(outcome_field::kDetail, WireType::bytes): detail = field.bytes; break;
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("an outcome");
    }
    if (!code.empty()) {
        MUSTER_ASSIGN(error, make_error(code, detail));
        outcome.result = std::unexpected(std::move(error));
    }
    return outcome;
}

struct ReplyFields {
    msg::RequestReply reply;
    std::string_view code;
    std::string_view detail;
};

Result<ReplyFields> decode_reply(std::string_view bytes, msg::RequestId request,
                                 const CodecLimits& limits) {
    ValueDecoder values(limits);
    ReplyFields fields;
    fields.reply.request = request;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(reply_field::kOutcomes, WireType::bytes): {
                MUSTER_ASSIGN(outcome, decode_outcome(field.bytes, values));
                fields.reply.outcomes.push_back(std::move(outcome));
                break;
            }
            case key(reply_field::kCode, WireType::bytes): fields.code = field.bytes; break;
            case key(reply_field::kDetail, WireType::bytes): fields.detail = field.bytes; break;
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("the reply");
    }
    return fields;
}

// What a Push says besides its publications, which need the service first.
struct PushFields {
    std::shared_ptr<ServiceView> view = std::make_shared<ServiceView>();
    msg::Push push;
    Version from;
    std::vector<RegistId> removals;
};

Result<void> read_push_field(const Field& field, ValueDecoder& values, PushFields& fields) {
    switch (key(field)) {
        case key(push_field::kService, WireType::bytes): {
            MUSTER_ASSIGN(service, values.service(field.bytes));
            fields.view->service = std::move(service);
            break;
        }
        case key(push_field::kScope, WireType::varint): {
            MUSTER_ASSIGN(scope, values.scope(field.value));
            fields.push.scope = scope;
            break;
        }
        case key(push_field::kZone, WireType::bytes): {
            MUSTER_ASSIGN(zone, values.name(field.bytes, "a zone"));
            fields.push.zone = std::move(zone);
            break;
        }
        case key(push_field::kVersion, WireType::varint): {
            MUSTER_ASSIGN(version, values.version(field.value));
            fields.view->version = version;
            break;
        }
        case key(push_field::kComplete, WireType::varint):
            fields.view->complete = field.value != 0;
            break;
        case key(push_field::kDigest, WireType::bytes): {
            MUSTER_ASSIGN(digest, values.digest(field.bytes));
            fields.view->digest = digest;
            break;
        }
        case key(push_field::kFromVersion, WireType::varint): {
            MUSTER_ASSIGN(from, values.version(field.value));
            fields.from = from;
            break;
        }
        case key(push_field::kRemovedIds, WireType::bytes): {
            MUSTER_TRY(values.count_item());
            MUSTER_ASSIGN(removed, values.id(field.bytes));
            fields.removals.push_back(std::move(removed));
            break;
        }
        case key(push_field::kSubscriptionIds, WireType::bytes): {
            MUSTER_TRY(values.count_item());
            MUSTER_ASSIGN(subscriber, values.id(field.bytes));
            fields.push.subscribers.push_back(std::move(subscriber));
            break;
        }
        default: break;
    }
    return {};
}

Result<std::vector<PublicationPtr>> read_publications(std::string_view bytes,
                                                      const ServicePtr& service,
                                                      ValueDecoder& values) {
    std::vector<PublicationPtr> publications;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == key(push_field::kPublications, WireType::bytes)) {
            MUSTER_ASSIGN(publication, values.publication(field.bytes, {.service = service,
                                                                        .client_address = {}}));
            if (!publications.empty() && publications.back()->id >= publication->id) {
                return fail(Errc::bad_content, "publications are not sorted by id");
            }
            publications.push_back(std::move(publication));
        }
    }
    return publications;
}

Result<ServerMessage> decode_push(std::string_view bytes, const CodecLimits& limits) {
    ValueDecoder values(limits);
    PushFields fields;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        MUSTER_TRY(read_push_field(field, values, fields));
    }
    if (reader.broken()) {
        return malformed("the push");
    }
    if (fields.view->service == nullptr) {
        return fail(Errc::invalid_argument, "a push has no service");
    }
    MUSTER_ASSIGN(publications, read_publications(bytes, fields.view->service, values));
    if (fields.from == Version{}) {
        fields.view->publications = std::move(publications);
    } else {
        if (!std::ranges::is_sorted(fields.removals)) {
            return fail(Errc::bad_content, "removed ids are not sorted");
        }
        fields.push.delta =
            std::make_shared<const ViewDelta>(ViewDelta{.from = fields.from,
                                                        .to = fields.view->version,
                                                        .upserts = std::move(publications),
                                                        .removals = std::move(fields.removals)});
    }
    fields.push.view = std::move(fields.view);
    return std::move(fields.push);
}

Result<ServerMessage> decode_packed_push(std::string_view bytes, const CodecLimits& limits) {
    ValueDecoder values(limits);
    std::string_view packed;
    std::vector<RegistId> subscribers;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == key(packed_push_field::kZstd, WireType::bytes)) {
            packed = field.bytes;
        } else if (key(field) == key(push_field::kSubscriptionIds, WireType::bytes)) {
            MUSTER_TRY(values.count_item());
            MUSTER_ASSIGN(subscriber, values.id(field.bytes));
            subscribers.push_back(std::move(subscriber));
        }
    }
    if (reader.broken()) {
        return malformed("the packed push");
    }
    MUSTER_ASSIGN(body, decompress(packed, limits.message_bytes_max));
    MUSTER_ASSIGN(message, decode_push(body, limits));
    std::get<msg::Push>(message).subscribers = std::move(subscribers);
    return std::move(message);
}

Result<ServerMessage> decode_config_push(std::string_view bytes, const CodecLimits& limits) {
    ValueDecoder values(limits);
    msg::ConfigPush push;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(config_push_field::kKey, WireType::bytes): {
                MUSTER_ASSIGN(service, values.service(field.bytes));
                push.key = std::move(service);
                break;
            }
            case key(config_push_field::kVersion, WireType::varint): {
                MUSTER_ASSIGN(version, values.version(field.value));
                push.version = version;
                break;
            }
            case key(config_push_field::kValue, WireType::bytes):
                push.value = std::make_shared<const std::string>(field.bytes);
                break;
            case key(config_push_field::kWatchIds, WireType::bytes): {
                MUSTER_TRY(values.count_item());
                MUSTER_ASSIGN(watcher, values.id(field.bytes));
                push.watchers.push_back(std::move(watcher));
                break;
            }
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("the push");
    }
    if (push.key == nullptr) {
        return fail(Errc::invalid_argument, "a configuration push has no key");
    }
    return push;
}

Result<ServerMessage> decode_hint(std::string_view bytes, const CodecLimits& limits) {
    ValueDecoder values(limits);
    msg::ServerHint hint;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        if (key(field) == key(hint_field::kServers, WireType::bytes)) {
            MUSTER_TRY(values.count_item());
            MUSTER_ASSIGN(server, values.name(field.bytes, "a server"));
            hint.servers.push_back(std::move(server));
        } else if (key(field) == key(hint_field::kMoveTo, WireType::bytes)) {
            MUSTER_ASSIGN(server, values.name(field.bytes, "a server"));
            hint.move_to = std::move(server);
        }
    }
    if (reader.broken()) {
        return malformed("the hint");
    }
    return hint;
}

}  // namespace

CodecLimits client_codec_limits() {
    return {.message_bytes_max = std::size_t{256} << 20U,
            .items_max = 1'000'000,
            .elements_max = 4'000'000};
}

Result<ServerMessage> decode_server_message(std::string_view class_name, std::string_view bytes,
                                            const CodecLimits& limits) {
    MUSTER_TRY(check_size(bytes, limits));
    if (class_name == kPushClass) {
        return decode_push(bytes, limits);
    }
    if (class_name == kPackedPushClass) {
        return decode_packed_push(bytes, limits);
    }
    if (class_name == kConfigPushClass) {
        return decode_config_push(bytes, limits);
    }
    if (class_name == kServerHintClass) {
        return decode_hint(bytes, limits);
    }
    return fail(Errc::unknown_type, "no message has this class name");
}

Result<Response> decode_response(const ResponseHead& head, std::string_view bytes,
                                 const CodecLimits& limits) {
    MUSTER_TRY(check_size(bytes, limits));
    const bool is_reply = head.class_name == kReplyClass;
    if (head.bolt_status != 0) {
        RequestFailure failure{
            .request = head.request,
            .error = {.code = errc_of_status(head.bolt_status),
                      .detail = "bolt status " + std::to_string(head.bolt_status)}};
        if (is_reply) {
            MUSTER_ASSIGN(fields, decode_reply(bytes, head.request, limits));
            if (!fields.code.empty()) {
                MUSTER_ASSIGN(error, make_error(fields.code, fields.detail));
                failure.error = std::move(error);
            }
        }
        return failure;
    }
    if (!is_reply) {
        return fail(Errc::unknown_type, "an answer is not a Reply");
    }
    MUSTER_ASSIGN(fields, decode_reply(bytes, head.request, limits));
    return std::move(fields.reply);
}

}  // namespace muster::native
