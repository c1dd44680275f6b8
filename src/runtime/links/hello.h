#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"

// What two processes tell each other before they trust each other.
namespace muster::runtime {

// The versions of the link's protocol that this release speaks. The link uses the greatest that
// both speak.
inline constexpr std::uint32_t kLinkVersionMin = 1;
inline constexpr std::uint32_t kLinkVersionMax = 1;

// What a hello may take, and any frame before the secret was proved.
inline constexpr std::size_t kHandshakeFrameMax = 4096;

struct LinkHello {
    std::uint32_t version_min = kLinkVersionMin;
    std::uint32_t version_max = kLinkVersionMax;
    std::string cluster;
    NodeId node;
    std::uint64_t folder = 0;  // names its data folder
    Incarnation incarnation;
    std::string peer_address;  // "ip:port" where it can be dialled; empty: it cannot
    std::string nonce;         // 32 random bytes

    [[nodiscard]] bool operator==(const LinkHello&) const = default;
};

inline constexpr std::size_t kNonceBytes = 32;

[[nodiscard]] std::string encode_hello(const LinkHello& hello);

// Errors: bad_frame (not a hello of any release), bad_content.
[[nodiscard]] Result<LinkHello> decode_hello(std::string_view bytes);

// Why there is no link. The numbers are sent and stay.
enum class RefusalReason : std::uint8_t {
    other = 0,       // of a newer release
    version = 1,     // no common protocol version
    cluster = 2,     // another cluster's name
    secret = 3,      // the proof does not fit
    own_id = 4,      // it has the node id of who refuses
    id_in_use = 5,   // a process with another data folder is linked under its node id
    older_life = 6,  // a later start of the same node is linked
    other_node = 7,  // the dialler expected another node at this address
    over_limit = 8,  // too many nodes
    bad_hello = 9,   // it cannot be read
};
inline constexpr std::size_t kRefusalReasons = 10;

// "secret", for logs and metrics.
[[nodiscard]] std::string_view to_string(RefusalReason reason);

struct LinkRefusal {
    RefusalReason reason = RefusalReason::other;
    std::string sentence;  // for the operator of the refused node: what is wrong, what to do
};

[[nodiscard]] std::string encode_refusal(const LinkRefusal& refusal);

// Never fails: what cannot be read is `other`. Control characters of the sentence become spaces.
[[nodiscard]] LinkRefusal decode_refusal(std::string_view bytes);

}  // namespace muster::runtime
