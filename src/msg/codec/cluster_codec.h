#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "msg/cluster.h"

// What the roles say to each other as bytes: docs/protocol/cluster.md. Pure functions; any thread.
namespace muster::msg {

struct ClusterCodecLimits {
    std::size_t message_bytes_max = std::size_t{64} << 20;
    // Made of one message, whatever its bytes claim.
    std::size_t memory_max = std::size_t{512} << 20;
};

// Appends the message to `out`. Requires: services and publications that are not null, but where
// null has a meaning.
void encode_to(std::string& out, const ClusterMessage& message);

[[nodiscard]] std::string encode(const ClusterMessage& message);

// One whole message. Services named more than once share one object; nobody else's. Errors:
// unknown_type (a message of a newer release), bad_content, too_large.
[[nodiscard]] Result<ClusterMessage> decode_cluster_message(std::string_view bytes,
                                                            const ClusterCodecLimits& limits = {});

}  // namespace muster::msg
