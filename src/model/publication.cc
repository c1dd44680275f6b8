#include "model/publication.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <type_traits>

#include "base/hash.h"

namespace muster {
namespace {

constexpr std::uint32_t kDefaultWeight = 100;
constexpr std::uint32_t kWeightMax = 1'000'000;

// Bytes to be hashed: few of them take no memory of their own.
class HashedBytes {
public:
    explicit HashedBytes(std::size_t size) {
        if (size > in_place_.size()) {
            apart_.resize(size);
            begin_ = next_ = apart_.data();
        }
    }
    HashedBytes(const HashedBytes&) = delete;
    HashedBytes& operator=(const HashedBytes&) = delete;

    template <std::integral T>
    void put_big_endian(T value) {
        const auto bits = static_cast<std::make_unsigned_t<T>>(value);
        for (std::size_t shift = sizeof bits; shift-- > 0;) {
            *next_++ = static_cast<char>(static_cast<std::uint8_t>(bits >> (8 * shift)));
        }
    }
    void put(std::string_view text) {
        next_ = std::ranges::copy(text, next_).out;
    }
    void put_sized(std::string_view text) {
        put_big_endian(static_cast<std::uint32_t>(text.size()));
        put(text);
    }
    [[nodiscard]] SetDigest digest() const {
        return digest_of(std::string_view(begin_, next_));
    }

private:
    std::array<char, 512> in_place_;
    std::string apart_;
    char* begin_ = in_place_.data();
    char* next_ = in_place_.data();
};

Result<std::uint16_t> parse_port(std::string_view digits, std::string_view box) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc{} || end != digits.end() || port == 0) {
        return fail(Errc::invalid_argument, "'" + std::string(box) + "' has no port of 1 to 65535");
    }
    return port;
}

std::uint32_t parse_weight(std::string_view digits) {
    std::uint32_t weight = kDefaultWeight;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), weight);
    const bool whole = error == std::errc{} && end == digits.end();
    return whole && weight <= kWeightMax ? weight : kDefaultWeight;
}

void read_property(std::string_view key, std::string_view value, Endpoint& endpoint) {
    if (key == "weight") {
        endpoint.weight = parse_weight(value);
    } else if (key == "enabled") {
        endpoint.enabled = value != "false";
    } else if (key == "healthy") {
        endpoint.healthy = value != "false";
    } else {
        endpoint.metadata.emplace(key, value);
    }
}

}  // namespace

std::string_view to_string(RemovalCause cause) {
    switch (cause) {
        case RemovalCause::left: return "left";
        case RemovalCause::closed: return "closed";
        case RemovalCause::silent: return "silent";
        case RemovalCause::evicted: return "evicted";
    }
    return "unknown";
}

std::uint64_t connection_of(const Publication& publication) {
    return hash64(publication.client_address);
}

bool Publication::operator==(const Publication& other) const {
    return id == other.id && *service == *other.service && order == other.order &&
           client_address == other.client_address && same_content(other);
}

bool Publication::same_content(const Publication& other) const {
    return zone == other.zone && app == other.app && boxes == other.boxes &&
           attributes == other.attributes;
}

std::size_t content_bytes(const Publication& publication) {
    std::size_t bytes =
        publication.app.size() + publication.zone.size() + publication.boxes.text_bytes();
    for (const auto& [key, value] : publication.attributes) {
        bytes += key.size() + value.size();
    }
    return bytes;
}

SetDigest digest_of(const RegistId& id, const RegistOrder& order) {
    HashedBytes bytes(sizeof order.version + sizeof order.timestamp_ms + id.raw().size());
    bytes.put_big_endian(order.version);
    bytes.put_big_endian(order.timestamp_ms);
    bytes.put(id.raw());
    return bytes.digest();
}

// Each text with its size before it, and how many there are where that is not always the same.
SetDigest shown_digest_of(const Publication& publication) {
    constexpr std::size_t kSize = sizeof(std::uint32_t);
    const std::size_t boxes = publication.boxes.size();
    const std::size_t attributes = publication.attributes.size();
    const std::size_t sizes = kSize * (3 + 2 + boxes + 2 * attributes);
    HashedBytes bytes(sizes + publication.id.raw().size() + content_bytes(publication));
    bytes.put_sized(publication.id.raw());
    bytes.put_sized(publication.zone);
    bytes.put_sized(publication.app);
    bytes.put_big_endian(static_cast<std::uint32_t>(boxes));
    for (const std::string_view box : publication.boxes) {
        bytes.put_sized(box);
    }
    bytes.put_big_endian(static_cast<std::uint32_t>(attributes));
    for (const auto& [name, value] : publication.attributes) {
        bytes.put_sized(name);
        bytes.put_sized(value);
    }
    return bytes.digest();
}

Result<Endpoint> Endpoint::parse(std::string_view box) {
    Endpoint endpoint;
    std::string_view rest = box;
    if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
        endpoint.scheme = rest.substr(0, scheme);
        rest = rest.substr(scheme + 3);
    }
    const auto question = rest.find('?');
    std::string_view host = rest.substr(0, question);
    if (const auto slash = host.find('/'); slash != std::string_view::npos) {
        host = host.substr(0, slash);
    }
    const auto colon = host.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return fail(Errc::invalid_argument,
                    "'" + std::string(box) + "' is not of the form ip:port");
    }
    auto port = parse_port(host.substr(colon + 1), box);
    if (!port) {
        return std::unexpected(std::move(port).error());
    }
    endpoint.port = *port;
    host = host.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    endpoint.ip = host;
    std::string_view query =
        question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
    while (!query.empty()) {
        const auto ampersand = query.find('&');
        const std::string_view pair = query.substr(0, ampersand);
        query =
            ampersand == std::string_view::npos ? std::string_view{} : query.substr(ampersand + 1);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && equals > 0) {
            read_property(pair.substr(0, equals), pair.substr(equals + 1), endpoint);
        }
    }
    return endpoint;
}

std::string Endpoint::to_box() const {
    std::string box = scheme.empty() ? std::string() : scheme + "://";
    const bool is_v6 = ip.find(':') != std::string::npos;
    box += is_v6 ? "[" + ip + "]" : ip;
    box += ":" + std::to_string(port);
    char separator = '?';
    const auto add = [&](std::string_view key, std::string_view value) {
        box += separator;
        box.append(key).append("=").append(value);
        separator = '&';
    };
    if (weight != kDefaultWeight) {
        add("weight", std::to_string(weight));
    }
    if (!enabled) {
        add("enabled", "false");
    }
    if (!healthy) {
        add("healthy", "false");
    }
    for (const auto& [key, value] : metadata) {
        add(key, value);
    }
    return box;
}

}  // namespace muster
