// What the reader takes protoc's parser takes too and finds the same fields in, and the writer
// writes what was read so that they find it again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/unknown_field_set.h>

#include "base/check.h"
#include "wire/native/fields.h"

namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using muster::native::Field;
using muster::native::FieldReader;
using muster::native::FieldWriter;
using muster::native::WireType;

bool same(const Field& ours, const UnknownField& theirs) {
    if (static_cast<std::uint32_t>(theirs.number()) != ours.number) {
        return false;
    }
    switch (theirs.type()) {
        case UnknownField::TYPE_VARINT:
            return ours.type == WireType::varint && ours.value == theirs.varint();
        case UnknownField::TYPE_FIXED64:
            return ours.type == WireType::fixed64 && ours.value == theirs.fixed64();
        case UnknownField::TYPE_FIXED32:
            return ours.type == WireType::fixed32 && ours.value == theirs.fixed32();
        case UnknownField::TYPE_LENGTH_DELIMITED:
            return ours.type == WireType::bytes && ours.bytes == theirs.length_delimited();
        case UnknownField::TYPE_GROUP: return false;
    }
    return false;
}

void compare(const std::vector<Field>& ours, std::string_view bytes) {
    UnknownFieldSet theirs;
    CHECK(theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    CHECK(std::cmp_equal(theirs.field_count(), ours.size()));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        CHECK(same(ours[i], theirs.field(static_cast<int>(i))));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    FieldReader reader(bytes);
    std::vector<Field> fields;
    for (Field field; reader.next(field);) {
        fields.push_back(field);
        static_cast<void>(muster::native::is_utf8(field.bytes));
    }
    if (reader.broken()) {
        return 0;
    }
    compare(fields, bytes);
    std::string again;
    FieldWriter writer(again);
    std::vector<Field> written;
    for (const Field& field : fields) {
        if (field.type == WireType::bytes) {
            writer.element(field.number, field.bytes);
        } else if (field.type == WireType::varint && field.value != 0) {
            writer.varint(field.number, field.value);
        } else if (field.type == WireType::fixed64 && field.value != 0) {
            writer.fixed64(field.number, field.value);
        } else {
            continue;
        }
        written.push_back(field);
    }
    compare(written, again);
    return 0;
}
