#include "msg/codec/writer.h"

#include "base/bytes.h"

namespace muster::msg::codec {
namespace {

constexpr std::size_t kVarintBytesMax = 10;

// LEB128, as Protobuf's varint.
std::size_t encode_varint(std::uint64_t value, char* to) {
    std::size_t size = 0;
    while (value >= 0x80) {
        to[size++] = static_cast<char>(value | 0x80);
        value >>= 7U;
    }
    to[size++] = static_cast<char>(value);
    return size;
}

std::uint64_t zigzag(std::uint64_t difference) {
    return (difference << 1U) ^ (0 - (difference >> 63U));
}

}  // namespace

void Writer::put_varint(std::uint64_t value) {
    char bytes[kVarintBytesMax];
    out_.append(bytes, encode_varint(value, bytes));
}

void Writer::put_signed(std::int64_t value) {
    put_varint(zigzag(static_cast<std::uint64_t>(value)));
}

// The difference to the version written before; zero has the code that the version before would
// have, and that one has the code of zero's difference.
void Writer::put(const Version& version) {
    const std::uint64_t raw = version.raw();
    if (raw == 0 || plain_) {
        put_varint(raw);
        return;
    }
    put_varint(zigzag((raw == last_version_ ? 0 : raw) - last_version_));
    last_version_ = raw;
}

void Writer::put(const std::string& text) {
    put_varint(text.size());
    out_ += text;
}

void Writer::put(const Boxes& boxes) {
    put_varint(boxes.size());
    for (const std::string_view box : boxes) {
        put_varint(box.size());
        out_ += box;
    }
}

Writer::RecentName& Writer::recent_name(std::string_view text) {
    constexpr unsigned kAlignmentBits = 5;  // of what is allocated, mostly
    return recent_names_[(reinterpret_cast<std::uintptr_t>(text.data()) >> kAlignmentBits) %
                         recent_names_.size()];
}

// Even: twice the length of a text that follows; odd: one more than twice the place in the table.
void Writer::put_name(std::string_view text) {
    const bool kept = !plain_ && text.size() >= kNameBytesMin && text.size() <= kNameBytesMax;
    if (kept) {
        RecentName& recent = recent_name(text);
        if (recent.at == text.data() && recent.size == text.size()) {
            put_varint(recent.number << 1U | 1U);
            return;
        }
        const auto [at, is_new] = names_.try_emplace(text, names_.size());
        recent = {.at = text.data(), .size = text.size(), .number = at->second};
        if (!is_new) {
            put_varint(at->second << 1U | 1U);
            return;
        }
    }
    put_varint(std::uint64_t{text.size()} << 1U);
    out_ += text;
}

void Writer::put(const SetDigest& digest) {
    append_big_endian(out_, digest.high);
    append_big_endian(out_, digest.low);
}

void Writer::put(const Error& error) {
    put_name(info(error.code).name);
    put(error.detail);
}

// 0: a new one of the default tenant and group; 1: a new one; else two more than the place in the
// table.
void Writer::put(const ServicePtr& service) {
    CHECK(service != nullptr);
    if (!plain_) {
        if (last_service_ == service.get()) {
            put_varint(last_service_number_ + 2);
            return;
        }
        const auto [at, is_new] = services_.try_emplace(service.get(), services_.size());
        last_service_ = service.get();
        last_service_number_ = at->second;
        if (!is_new) {
            put_varint(at->second + 2);
            return;
        }
    }
    const bool is_default = service->tenant == kDefaultTenant && service->group == kDefaultGroup;
    put_varint(is_default ? 0 : 1);
    if (!is_default) {
        put_name(service->tenant);
        put_name(service->group);
    }
    put(service->data_id);
}

void Writer::put(const std::map<std::string, std::string>& values) {
    put_varint(values.size());
    for (const auto& [key, value] : values) {
        put_name(key);
        put_name(value);
    }
}

// One byte is kept for the length, more are made when it needs them.
std::size_t Writer::open_struct() {
    out_.push_back('\0');
    return out_.size();
}

void Writer::close_struct(std::size_t at) {
    char length[kVarintBytesMax];
    const std::size_t size = encode_varint(out_.size() - at, length);
    out_.replace(at - 1, 1, length, size);
}

}  // namespace muster::msg::codec
