#include "wire/golden/golden_vectors.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>

#include <boost/json.hpp>

namespace muster::golden {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

Result<std::string> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(Errc::io_error, "open " + path.string());
    }
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

// Vectors hold lone surrogates as \uD8xx, which JSON readers refuse: each escaped surrogate becomes
// its three bytes, so that strings come out in wire form.
std::string unescape_surrogates(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '\\' || at + 1 == text.size()) {
            out.push_back(text[at++]);
            continue;
        }
        std::uint32_t unit = 0;
        const std::string_view digits = text.substr(std::min(at + 2, text.size()), 4);
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), unit, 16);
        const bool is_unit = text[at + 1] == 'u' && error == std::errc{} && end == digits.end();
        if (is_unit && unit >= 0xd800 && unit <= 0xdfff) {
            hessian::append_unit(out, unit);
            at += 6;
        } else {
            out.append(text.substr(at, 2));
            at += 2;
        }
    }
    return out;
}

hessian::Text text_of(const json::value& value) {
    const auto& string = value.as_string();
    return {std::string(string.data(), string.size())};
}

std::string string_of(const json::value& value) {
    return text_of(value).units;
}

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        unsigned byte = 0;
        std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

template <typename T>
T number_of(std::string_view digits, int base = 10) {
    T number{};
    std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    return number;
}

// Makes trees of JSON; one class has one shape, as in the bytes.
class BodyReader {
public:
    hessian::Value value(const json::value& from) {
        if (from.is_null()) {
            return {hessian::Null{}};
        }
        if (from.is_bool()) {
            return {from.as_bool()};
        }
        if (from.is_string()) {
            return {text_of(from)};
        }
        return tagged(from.as_object());
    }

private:
    static hessian::TypePtr type(const json::value& from) {
        return from.is_null() ? nullptr : std::make_shared<hessian::Text>(text_of(from));
    }

    hessian::Value tagged(const json::object& from) {
        const std::string_view tag = from.begin()->key();
        const json::value& content = from.begin()->value();
        if (tag == "$int") {
            return {static_cast<std::int32_t>(content.as_int64())};
        }
        if (tag == "$long") {
            return {number_of<std::int64_t>(string_of(content))};
        }
        if (tag == "$date_ms") {
            return {hessian::Date{number_of<std::int64_t>(string_of(content))}};
        }
        if (tag == "$double") {
            const auto bits = number_of<std::uint64_t>(string_of(from.at("$bits")), 16);
            return {hessian::Double{std::bit_cast<double>(bits)}};
        }
        if (tag == "$bytes") {
            return {hessian::Binary{from_hex(string_of(content))}};
        }
        if (tag == "$ref") {
            return {hessian::Ref{static_cast<std::uint32_t>(content.as_int64())}};
        }
        if (tag == "$list") {
            hessian::List list{.type = type(content)};
            for (const json::value& item : from.at("items").as_array()) {
                list.items.push_back(value(item));
            }
            return {std::move(list)};
        }
        if (tag == "$map") {
            hessian::Map map{.type = type(content)};
            for (const json::value& entry : from.at("entries").as_array()) {
                map.entries.push_back({value(entry.at(0)), value(entry.at(1))});
            }
            return {std::move(map)};
        }
        return object(text_of(content), from.at("fields").as_object());
    }

    hessian::Value object(const hessian::Text& name, const json::object& fields) {
        auto& known = shapes_[name.units];
        if (known == nullptr) {
            auto shape = std::make_shared<hessian::ClassShape>();
            shape->name = name;
            for (const auto& field : fields) {
                shape->fields.push_back({std::string(field.key())});
            }
            known = std::move(shape);
        }
        hessian::Object object{.shape = known};
        for (const auto& field : fields) {
            object.fields.push_back(value(field.value()));
        }
        return {std::move(object)};
    }

    std::map<std::string, hessian::ClassShapePtr> shapes_;
};

void read_bolt(const json::object& from, Vector& vector) {
    const auto number = [&](std::string_view key, std::int64_t otherwise) {
        const auto* found = from.if_contains(key);
        return found == nullptr ? otherwise : found->as_int64();
    };
    bolt::FrameHead& head = vector.head;
    head.protocol = static_cast<std::uint8_t>(number("proto", 0));
    head.version = static_cast<std::uint8_t>(number("ver1", 1));
    head.type = static_cast<bolt::FrameType>(number("type", 0));
    head.command = static_cast<bolt::Command>(number("cmdcode", 0));
    head.command_version = static_cast<std::uint8_t>(number("ver2", 0));
    head.request_id = static_cast<std::int32_t>(number("requestId", 0));
    head.codec = static_cast<std::uint8_t>(number("codec", 0));
    head.switches = static_cast<std::uint8_t>(number("switch", 0));
    head.timeout_ms = static_cast<std::int32_t>(number("timeout", -1));
    head.status = static_cast<bolt::Status>(number("status", 0));
    vector.class_name = string_of(from.at("className"));
    vector.content_bytes = static_cast<std::size_t>(number("contentLen", 0));
    vector.content_offset = static_cast<std::size_t>(number("contentOffset", 0));
    if (const auto* crc = from.if_contains("crc32")) {
        vector.crc32 = string_of(*crc);
    }
}

void read_body(const json::value& from, Vector& vector) {
    vector.has_body = true;
    if (from.is_object() && from.as_object().contains("$absent")) {
        vector.has_body = false;
    } else if (from.is_object() && from.as_object().contains("$opaque_throwable")) {
        vector.is_throwable = true;
        vector.throwable_class = string_of(from.at("$opaque_throwable"));
        vector.throwable_message = string_of(from.at("message"));
    } else {
        vector.body = BodyReader().value(from);
    }
}

Result<std::vector<fs::path>> files_of(const fs::path& folder, std::string_view extension) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == extension) {
            files.push_back(entry.path());
        }
    }
    if (error || files.empty()) {
        return fail(Errc::io_error, "no " + std::string(extension) + " in " + folder.string());
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace

fs::path folder(const fs::path& source_root) {
    if (const char* chosen = std::getenv("MUSTER_GOLDEN"); chosen != nullptr && *chosen != 0) {
        return chosen;
    }
    const fs::path shared = source_root / ".." / "shared" / "golden";
    return fs::exists(shared) ? shared : source_root / "api" / "bolt" / "golden";
}

Result<Vector> read_vector(const fs::path& folder, const std::string& name) {
    auto bytes = read_file(folder / (name + ".bin"));
    auto meaning = read_file(folder / (name + ".json"));
    if (!bytes || !meaning) {
        return fail(Errc::io_error, name + ": the .bin or the .json is missing");
    }
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    boost::system::error_code error;
    const json::value document =
        json::parse(unescape_surrogates(*meaning), error, json::storage_ptr{}, options);
    if (error) {
        return fail(Errc::bad_content, name + ".json: " + error.message());
    }
    const json::object& from = document.as_object();
    Vector vector{.name = name, .bytes = *std::move(bytes)};
    vector.is_frame = from.contains("bolt") && from.at("bolt").is_object();
    if (vector.is_frame) {
        read_bolt(from.at("bolt").as_object(), vector);
    }
    read_body(from.at("body"), vector);
    return vector;
}

Result<std::vector<Vector>> read_vectors(const fs::path& folder) {
    auto files = files_of(folder, ".bin");
    if (!files) {
        return std::unexpected(std::move(files).error());
    }
    std::vector<Vector> vectors;
    for (const auto& file : *files) {
        auto vector = read_vector(folder, file.stem().string());
        if (!vector) {
            return std::unexpected(std::move(vector).error());
        }
        vectors.push_back(*std::move(vector));
    }
    return vectors;
}

Result<std::vector<Stream>> read_streams(const fs::path& folder) {
    auto files = files_of(folder / "live", ".bin");
    if (!files) {
        return std::unexpected(std::move(files).error());
    }
    std::vector<Stream> streams;
    for (const auto& file : *files) {
        auto bytes = read_file(file);
        if (!bytes) {
            return std::unexpected(std::move(bytes).error());
        }
        streams.push_back({.name = file.stem().string(), .bytes = *std::move(bytes)});
    }
    return streams;
}

}  // namespace muster::golden
