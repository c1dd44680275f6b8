#include "doors/native_codec/encode_values.h"

#include "doors/native_codec/field_numbers.h"

namespace muster::native {

void write_service(FieldWriter& writer, std::uint32_t number, const Service& service) {
    const auto mark = writer.begin(
        number, 6 + service.tenant.size() + service.group.size() + service.data_id.size());
    writer.bytes(service_field::kTenant, service.tenant);
    writer.bytes(service_field::kGroup, service.group);
    writer.bytes(service_field::kDataId, service.data_id);
    writer.end(mark);
}

void write_digest(FieldWriter& writer, std::uint32_t number, const SetDigest& digest) {
    const auto mark = writer.begin(number, 2 * (1 + sizeof(std::uint64_t)));
    writer.fixed64(digest_field::kLow, digest.low);
    writer.fixed64(digest_field::kHigh, digest.high);
    writer.end(mark);
}

void write_order(FieldWriter& writer, std::uint32_t first_number, const RegistOrder& order) {
    writer.sint(first_number, order.version);
    writer.sint(first_number + 1, order.timestamp_ms);
}

std::size_t size_hint(const Publication& publication) {
    // Tag and length of each field, version and timestamp.
    std::size_t size = 20 + publication.id.raw().size() + publication.zone.size() +
                       publication.app.size() + publication.client_address.size();
    for (const auto& box : publication.boxes) {
        size += 2 + box.size();
    }
    for (const auto& [name, value] : publication.attributes) {
        size += 6 + name.size() + value.size();
    }
    return size;
}

void write_publication(FieldWriter& writer, std::uint32_t number, const Publication& publication,
                       WithService with_service) {
    const auto mark = writer.begin(number, size_hint(publication));
    writer.bytes(publication_field::kId, publication.id.raw());
    write_order(writer, publication_field::kVersion, publication.order);
    for (const auto& box : publication.boxes) {
        writer.element(publication_field::kBoxes, box);
    }
    writer.bytes(publication_field::kZone, publication.zone);
    writer.bytes(publication_field::kApp, publication.app);
    writer.bytes(publication_field::kClientAddress, publication.client_address);
    for (const auto& [name, value] : publication.attributes) {
        if (!is_utf8(name) || !is_utf8(value)) {
            continue;  // a protobuf reader would refuse the whole message because of it
        }
        const auto entry =
            writer.begin(publication_field::kAttributes, 4 + name.size() + value.size());
        writer.element(map_field::kKey, name);
        writer.element(map_field::kValue, value);
        writer.end(entry);
    }
    if (with_service == WithService::yes) {
        write_service(writer, publication_field::kService, *publication.service);
    }
    writer.end(mark);
}

}  // namespace muster::native
