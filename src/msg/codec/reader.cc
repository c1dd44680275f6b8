#include "msg/codec/reader.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace muster::msg::codec {
namespace {

constexpr unsigned kVarintBitsLast = 63;
// What a map or a shared pointer costs beside its values, in round figures.
constexpr std::size_t kMapNodeBytes = 96;

std::uint64_t unzigzag(std::uint64_t code) {
    return (code >> 1U) ^ (0 - (code & 1U));
}

// By name, as the list of codes may grow in its middle. One of a newer release is `internal`.
Errc errc_of(std::string_view name) {
    static constexpr auto kAll = std::to_array<Errc>({
#define X(code, ...) Errc::code,
        MUSTER_ERRC_LIST(X)
#undef X
    });
    const auto at = std::ranges::find(kAll, name, [](Errc code) { return info(code).name; });
    return at == kAll.end() ? Errc::internal : *at;
}

}  // namespace

void Reader::fail_with(Errc code, const char* why) {
    if (!fault_) {
        fault_ = Error{code, why};
    }
    rest_ = {};
}

bool Reader::charge(std::size_t size) {
    if (size > memory_left_) {
        fail_with(Errc::too_large, "the message would take more memory than is allowed");
        return false;
    }
    memory_left_ -= size;
    return ok();
}

std::uint64_t Reader::take_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kVarintBitsLast; shift += 7) {
        if (rest_.empty()) {
            fail_with(Errc::bad_content, "the message is cut short");
            return 0;
        }
        const auto byte = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        if (shift == kVarintBitsLast && byte > 1) {
            break;
        }
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    fail_with(Errc::bad_content, "a number is longer than 64 bits");
    return 0;
}

std::uint64_t Reader::take_up_to(std::uint64_t most) {
    const std::uint64_t value = take_varint();
    if (value > most) {
        fail_with(Errc::bad_content, "a number is greater than its field can be");
        return 0;
    }
    return value;
}

std::int64_t Reader::take_signed() {
    return static_cast<std::int64_t>(unzigzag(take_varint()));
}

std::uint64_t Reader::take_count() {
    const std::uint64_t count = take_varint();
    if (count > rest_.size()) {
        fail_with(Errc::bad_content, "a list has more elements than the message has bytes");
        return 0;
    }
    return count;
}

std::string_view Reader::take(std::uint64_t size) {
    if (size > rest_.size()) {
        fail_with(Errc::bad_content, "the message is cut short");
        return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::string Reader::take_text(std::uint64_t size) {
    const std::string_view text = take(size);
    return charge(text.size()) ? std::string(text) : std::string();
}

std::string Reader::take_name() {
    const std::uint64_t code = take_varint();
    if ((code & 1U) == 0) {
        const std::string_view text = rest_.substr(0, code >> 1U);
        if (!plain_ && text.size() >= kNameBytesMin && text.size() <= kNameBytesMax) {
            names_.push_back({text, {}});
        }
        return take_text(code >> 1U);
    }
    const KnownName* known = known_name(code);
    return known != nullptr && charge(known->text.size()) ? std::string(known->text)
                                                          : std::string();
}

// Null, and a fault, when there is none.
Reader::KnownName* Reader::known_name(std::uint64_t code) {
    if (code >> 1U >= names_.size()) {
        fail_with(Errc::bad_content, "the message refers to a name that it has not told");
        return nullptr;
    }
    return &names_[code >> 1U];
}

// As take_name(), but one that is referred to is looked for in the table of the process once.
void Reader::take_interned(InternedText& text) {
    const std::string_view before = rest_;
    const std::uint64_t code = take_varint();
    if ((code & 1U) == 0) {
        rest_ = ok() ? before : rest_;
        text = take_name();
        return;
    }
    KnownName* known = known_name(code);
    if (known == nullptr || !charge(known->text.size())) {
        text = {};
        return;
    }
    if (known->interned.empty()) {
        known->interned = known->text;
    }
    text = known->interned;
}

void Reader::get(Version& version) {
    const std::uint64_t code = take_varint();
    if (code == 0 || plain_) {
        version = Version(code);
        return;
    }
    const std::uint64_t raw = last_version_ + unzigzag(code);
    version = Version(raw == 0 ? last_version_ : raw);
    last_version_ = version.raw();
}

void Reader::get(std::string& text) {
    text = take_text(take_varint());
}

void Reader::get(SetDigest& digest) {
    const std::string_view bytes = take(2 * sizeof(std::uint64_t));
    if (ok()) {
        digest.high = read_big_endian<std::uint64_t>(bytes, 0);
        digest.low = read_big_endian<std::uint64_t>(bytes, sizeof(std::uint64_t));
    }
}

void Reader::get(Error& error) {
    error.code = errc_of(take_name());
    get(error.detail);
}

void Reader::get(ServicePtr& service) {
    const std::uint64_t code = take_varint();
    if (code >= 2) {
        if (code - 2 >= services_.size()) {
            fail_with(Errc::bad_content, "the message refers to a service that it has not told");
            return;
        }
        service = services_[code - 2];
        return;
    }
    const bool is_default = code == 0;
    const std::string tenant = is_default ? std::string(kDefaultTenant) : take_name();
    const std::string group = is_default ? std::string(kDefaultGroup) : take_name();
    const std::string data_id = take_text(take_varint());
    if (!charge(sizeof(Service) + tenant.size() + group.size())) {
        return;
    }
    auto made = Service::make(tenant, group, data_id);
    if (!made || made->tenant != tenant || made->group != group) {
        fail_with(Errc::bad_content, "a service cannot have such a name");
        return;
    }
    service = interned(std::move(*made));
    if (!plain_) {
        services_.push_back(service);
    }
}

void Reader::get(Boxes& boxes) {
    std::vector<std::string_view> views;
    const std::uint64_t count = take_count();
    views.reserve(std::min(count, kReservedMax));
    for (std::uint64_t i = 0; i < count && charge(sizeof(std::string)); ++i) {
        const std::string_view box = take(take_varint());
        if (charge(box.size())) {
            views.push_back(box);
        }
    }
    boxes = views;
}

void Reader::get(std::map<std::string, std::string>& values) {
    values.clear();
    const std::uint64_t count = take_count();
    for (std::uint64_t i = 0; i < count && charge(kMapNodeBytes); ++i) {
        std::string key = take_name();
        values.insert_or_assign(std::move(key), take_name());
    }
}

}  // namespace muster::msg::codec
