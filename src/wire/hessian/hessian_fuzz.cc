#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/hessian/reader.h"
#include "wire/hessian/writer.h"

namespace hessian = muster::hessian;

// Property: what reads, writes; what was written reads as an equal value and writes the same bytes.
// References resolve. Text survives its way through WTF-8.
namespace {

void check_text(const hessian::Value& value) {
    if (const auto* text = value.get<hessian::Text>()) {
        CHECK(hessian::text_of(hessian::to_wtf8(*text)) == *text);
        const std::string utf8 = hessian::to_utf8(*text);
        CHECK(hessian::to_utf8(hessian::text_of(utf8)) == utf8);
    }
}

void check_references(const hessian::RefIndex& refs, const hessian::Value& value) {
    CHECK(refs.resolve(value).get<hessian::Ref>() == nullptr);
    check_text(value);
    if (const auto* list = value.get<hessian::List>()) {
        for (const auto& item : list->items) {
            check_references(refs, item);
        }
    } else if (const auto* map = value.get<hessian::Map>()) {
        for (const auto& [key, entry] : map->entries) {
            check_references(refs, key);
            check_references(refs, entry);
        }
    } else if (const auto* object = value.get<hessian::Object>()) {
        CHECK(object->fields.size() == object->shape->fields.size());
        for (const auto& field : object->fields) {
            check_references(refs, field);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto read = hessian::read_value(bytes);
    // Any bytes are text for the writer: what is no UTF-8 is replaced.
    std::string text;
    hessian::Writer(text).utf8(bytes);
    const auto reread_text = hessian::read_value(text);
    CHECK(reread_text.has_value() && reread_text->size == text.size());
    if (!read) {
        return 0;
    }
    CHECK(read->size <= bytes.size());
    check_references(hessian::RefIndex(read->value), read->value);
    const std::string written = hessian::write_value(read->value);
    const auto reread = hessian::read_value(written);
    CHECK(reread.has_value());
    CHECK(reread->size == written.size());
    CHECK(reread->value == read->value);
    CHECK(hessian::write_value(reread->value) == written);
    return 0;
}
