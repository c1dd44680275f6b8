#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cluster.h"
#include "model/ids.h"

// The bytes of a node's kept view: docs/protocol/node_view.md. Pure functions.
namespace muster::node {

inline constexpr std::uint32_t kViewFormat = 1;
inline constexpr std::size_t kViewNameBytesMax = 255;  // of node ids, addresses and zones
inline constexpr std::size_t kViewMembersMax = 65'535;
inline constexpr std::size_t kViewFollowersMax = 255;

// What a node keeps of the cluster.
struct KeptView {
    SlotTable table;
    std::uint64_t members_epoch = 0;
    std::vector<Member> members;
    Version ceiling;   // as the metas told it last
    Version reserved;  // no life of this node gave a version at or above it

    [[nodiscard]] bool operator==(const KeptView&) const = default;
};

// Requires: names, members and followers within their bounds, at most 65,535 slots.
[[nodiscard]] std::string encode_view(const KeptView& view);

// Errors: corrupt (anything but one whole view that checks), refused (format of a newer release).
[[nodiscard]] Result<KeptView> decode_view(std::string_view bytes);

}  // namespace muster::node
