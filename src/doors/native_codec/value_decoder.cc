#include "doors/native_codec/value_decoder.h"

#include "doors/native_codec/field_numbers.h"

namespace muster::native {

std::unexpected<Error> malformed(std::string_view what) {
    return fail(Errc::bad_content, std::string(what) + " is malformed");
}

Result<void> check_size(std::string_view bytes, const CodecLimits& limits) {
    if (bytes.size() > limits.message_bytes_max) {
        return fail(Errc::too_large, "the message is longer than " +
                                         std::to_string(limits.message_bytes_max) + " bytes");
    }
    return {};
}

Result<void> ValueDecoder::count_item() {
    if (++items_ > limits_.items_max) {
        return fail(Errc::too_large, "more than " + std::to_string(limits_.items_max) + " items");
    }
    return {};
}

Result<void> ValueDecoder::count_element() {
    if (++elements_ > limits_.elements_max) {
        return fail(Errc::too_large,
                    "more than " + std::to_string(limits_.elements_max) + " boxes and attributes");
    }
    return {};
}

Result<RegistId> ValueDecoder::id(std::string_view bytes) const {
    if (bytes.empty()) {
        return fail(Errc::invalid_argument, "an id is empty");
    }
    if (bytes.size() > limits_.id_bytes_max) {
        return fail(Errc::too_large,
                    "an id is longer than " + std::to_string(limits_.id_bytes_max) + " bytes");
    }
    if (!is_utf8(bytes)) {
        return malformed("an id");
    }
    return RegistId(std::string(bytes));
}

Result<void> ValueDecoder::check_name(std::string_view bytes, std::string_view what) const {
    if (bytes.size() > limits_.name_bytes_max) {
        return fail(Errc::too_large, std::string(what) + " is longer than " +
                                         std::to_string(limits_.name_bytes_max) + " bytes");
    }
    if (!is_utf8(bytes)) {
        return malformed(what);
    }
    return {};
}

Result<std::string> ValueDecoder::name(std::string_view bytes, std::string_view what) const {
    MUSTER_TRY(check_name(bytes, what));
    return std::string(bytes);
}

Result<InternedText> ValueDecoder::text(std::string_view bytes, std::string_view what,
                                        LastText& last) const {
    if (last.text.empty() || bytes != last.bytes) {
        MUSTER_TRY(check_name(bytes, what));
        last = {.bytes = bytes, .text = InternedText(bytes)};
    }
    return last.text;
}

Result<Version> ValueDecoder::version(std::uint64_t raw) const {
    if (raw > static_cast<std::uint64_t>(INT64_MAX)) {
        return malformed("a version");
    }
    return Version(raw);
}

Result<Scope> ValueDecoder::scope(std::uint64_t raw) const {
    if (raw > static_cast<std::uint64_t>(Scope::global)) {
        return fail(Errc::invalid_argument, "scope " + std::to_string(raw) + " is not known");
    }
    return static_cast<Scope>(raw);
}

Result<SetDigest> ValueDecoder::digest(std::string_view bytes) const {
    SetDigest digest;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(digest_field::kLow, WireType::fixed64): digest.low = field.value; break;
            case key(digest_field::kHigh, WireType::fixed64): digest.high = field.value; break;
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("a digest");
    }
    return digest;
}

Result<ServicePtr> ValueDecoder::service(std::string_view bytes) {
    if (last_service_ != nullptr && bytes == last_service_bytes_) {
        return last_service_;
    }
    std::string_view tenant;
    std::string_view group;
    std::string_view data_id;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(service_field::kTenant, WireType::bytes): tenant = field.bytes; break;
            case key(service_field::kGroup, WireType::bytes): group = field.bytes; break;
            case key(service_field::kDataId, WireType::bytes): data_id = field.bytes; break;
            default: break;
        }
    }
    if (reader.broken() || !is_utf8(tenant) || !is_utf8(group) || !is_utf8(data_id)) {
        return malformed("a service");
    }
    auto made = Service::make(tenant, group, data_id);
    if (!made) {
        return std::unexpected(std::move(made).error());
    }
    last_service_bytes_ = bytes;
    last_service_ = interned(std::move(*made));
    return last_service_;
}

Result<void> ValueDecoder::read_attribute(std::string_view bytes, Attributes::Map& attributes) {
    MUSTER_TRY(count_element());
    std::string_view attribute;
    std::string_view value;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(map_field::kKey, WireType::bytes): attribute = field.bytes; break;
            case key(map_field::kValue, WireType::bytes): value = field.bytes; break;
            default: break;
        }
    }
    if (reader.broken() || !is_utf8(value)) {
        return malformed("an attribute");
    }
    MUSTER_ASSIGN(checked, name(attribute, "the key of an attribute"));
    attributes.insert_or_assign(std::move(checked), std::string(value));
    return {};
}

Result<void> ValueDecoder::read_publication_field(const Field& field,
                                                  const PublicationContext& context, Parts& parts) {
    Publication& publication = *parts.publication;
    switch (key(field)) {
        case key(publication_field::kId, WireType::bytes): {
            MUSTER_ASSIGN(checked, id(field.bytes));
            publication.id = std::move(checked);
            break;
        }
        case key(publication_field::kVersion, WireType::varint):
            publication.order.version = static_cast<std::int64_t>(field.value);
            break;
        case key(publication_field::kTimestampMs, WireType::varint):
            publication.order.timestamp_ms = static_cast<std::int64_t>(field.value);
            break;
        case key(publication_field::kBoxes, WireType::bytes):
            MUSTER_TRY(count_element());
            parts.boxes.push_back(field.bytes);
            break;
        case key(publication_field::kZone, WireType::bytes): {
            MUSTER_ASSIGN(checked, text(field.bytes, "a zone", last_zone_));
            if (!checked.empty()) {
                publication.zone = std::move(checked);
            }
            break;
        }
        case key(publication_field::kApp, WireType::bytes): {
            MUSTER_ASSIGN(checked, text(field.bytes, "an app", last_app_));
            publication.app = std::move(checked);
            break;
        }
        case key(publication_field::kClientAddress, WireType::bytes): {
            if (context.service != nullptr) {
                MUSTER_ASSIGN(checked, name(field.bytes, "a client address"));
                publication.client_address = checked;
            }
            break;
        }
        case key(publication_field::kAttributes, WireType::bytes):
            return read_attribute(field.bytes, parts.attributes);
        case key(publication_field::kService, WireType::bytes): {
            if (context.service == nullptr) {
                MUSTER_ASSIGN(read, service(field.bytes));
                publication.service = std::move(read);
            }
            break;
        }
        default: break;
    }
    return {};
}

Result<PublicationPtr> ValueDecoder::publication(std::string_view bytes,
                                                 const PublicationContext& context) {
    MUSTER_TRY(count_item());
    auto publication = std::make_shared<Publication>();
    publication->service = context.service;
    publication->client_address = context.client_address;
    Parts parts{.publication = publication.get(), .boxes = {}, .attributes = {}};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        MUSTER_TRY(read_publication_field(field, context, parts));
    }
    publication->boxes = parts.boxes;
    publication->attributes = std::move(parts.attributes);
    if (reader.broken()) {
        return malformed("a publication");
    }
    if (publication->id.raw().empty()) {
        return fail(Errc::invalid_argument, "a publication has no id");
    }
    if (publication->service == nullptr) {
        return fail(Errc::invalid_argument, "a publication has no service");
    }
    return publication;
}

Result<void> ValueDecoder::read_ref_field(const Field& field, Ref& ref) {
    switch (key(field)) {
        case key(ref_field::kId, WireType::bytes): {
            MUSTER_ASSIGN(checked, id(field.bytes));
            ref.id = std::move(checked);
            break;
        }
        case key(ref_field::kService, WireType::bytes): {
            MUSTER_ASSIGN(read, service(field.bytes));
            ref.service = std::move(read);
            break;
        }
        case key(ref_field::kVersion, WireType::varint):
            ref.order.version = static_cast<std::int64_t>(field.value);
            break;
        case key(ref_field::kTimestampMs, WireType::varint):
            ref.order.timestamp_ms = static_cast<std::int64_t>(field.value);
            break;
        default: break;
    }
    return {};
}

Result<void> ValueDecoder::check_ref(const Ref& ref) const {
    if (ref.id.raw().empty()) {
        return fail(Errc::invalid_argument, "an item has no id");
    }
    if (ref.service == nullptr) {
        return fail(Errc::invalid_argument, "an item has no service");
    }
    return {};
}

Result<ValueDecoder::Ref> ValueDecoder::ref(std::string_view bytes) {
    MUSTER_TRY(count_item());
    Ref ref;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        MUSTER_TRY(read_ref_field(field, ref));
    }
    if (reader.broken()) {
        return malformed("an item");
    }
    MUSTER_TRY(check_ref(ref));
    return ref;
}

}  // namespace muster::native
