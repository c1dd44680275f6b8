#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "model/attributes.h"
#include "model/boxes.h"
#include "model/ids.h"
#include "model/interned_text.h"
#include "model/service.h"

namespace muster {

// How a client orders the states of one registration (invariant I8): by its version, then by its
// timestamp. Never by a server's clock.
struct RegistOrder {
    std::int64_t version = 0;
    std::int64_t timestamp_ms = 0;

    [[nodiscard]] auto operator<=>(const RegistOrder&) const = default;
};

// Why a publication went.
enum class RemovalCause : std::uint8_t {
    left,     // its client said so
    closed,   // its connection was closed without a word
    silent,   // nobody heard from it
    evicted,  // an operator removed it
};

[[nodiscard]] std::string_view to_string(RemovalCause cause);

// Said by the client itself, or by an operator about it; else by the loss of something.
[[nodiscard]] constexpr bool by_word(RemovalCause cause) {
    return cause == RemovalCause::left || cause == RemovalCause::evicted;
}

// What one client registered under one registration id for one service. Immutable once made and
// shared by every structure of a process that holds it. There are millions: what many repeat is
// there once, and what few have takes a pointer.
struct Publication {
    RegistId id;
    ServicePtr service;
    RegistOrder order;
    InternedText zone{kDefaultZone};
    InternedText app;
    InternedText client_address;  // "ip:port" as the session saw it
    Boxes boxes;
    Attributes attributes;

    [[nodiscard]] bool operator==(const Publication& other) const;

    // What subscribers can see of both is the same (order and client address are not part of it).
    [[nodiscard]] bool same_content(const Publication& other) const;
};

using PublicationPtr = std::shared_ptr<const Publication>;

// Bytes of what the client chose: boxes, attributes, app and zone.
[[nodiscard]] std::size_t content_bytes(const Publication& publication);

// What it counts as where a bound is a number of publications: one, and one for each KiB of
// content, so that such a bound is one of bytes too.
[[nodiscard]] inline std::size_t bulk_of(const Publication& publication) {
    constexpr std::size_t kKib = 1024;
    return 1 + content_bytes(publication) / kKib;
}

// Names the connection over which it came, as far as its address does.
[[nodiscard]] std::uint64_t connection_of(const Publication& publication);

// Element of the digest by which sessions, leaders and followers compare what they hold: the
// registration id and its order.
[[nodiscard]] SetDigest digest_of(const RegistId& id, const RegistOrder& order);

// Element of the digest by which a session compares a list it folded with its leader's: the id and
// what subscribers see, so equal for what is same_content(). Part of the protocol between nodes.
[[nodiscard]] SetDigest shown_digest_of(const Publication& publication);

// The structured reading of a box: "ip:port?weight=100&zone=a&enabled=true&m.color=blue", with an
// optional "scheme://" before it. Unknown keys become metadata, so nothing is lost on the way back.
struct Endpoint {
    std::string scheme;  // empty: none
    std::string ip;
    std::uint16_t port = 0;
    std::uint32_t weight = 100;
    bool enabled = true;
    bool healthy = true;
    std::map<std::string, std::string> metadata;

    [[nodiscard]] bool operator==(const Endpoint&) const = default;

    // Errors: invalid_argument when the text does not begin with a host and a port.
    [[nodiscard]] static Result<Endpoint> parse(std::string_view box);
    [[nodiscard]] std::string to_box() const;
};

}  // namespace muster
