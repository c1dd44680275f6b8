#include <utility>

#include <fmt/format.h>

#include "msg/codec/cluster_codec.h"
#include "runtime/links/cluster_links.h"

// What linked nodes say, as far as ClusterLinks reads it.
namespace muster::runtime {
namespace {

constexpr Duration kUnreadLogPause = std::chrono::minutes(1);  // of one node

}  // namespace

void ClusterLinks::on_message(const NodeId& from, std::string_view content) {
    constexpr std::size_t kRoleBytes = 2;
    constexpr auto kLastRole = static_cast<unsigned char>(Role::session);
    const bool has_roles = content.size() > kRoleBytes &&
                           static_cast<unsigned char>(content[0]) <= kLastRole &&
                           static_cast<unsigned char>(content[1]) <= kLastRole;
    auto message = has_roles ? msg::decode_cluster_message(content.substr(kRoleBytes))
                             : fail(Errc::bad_content, "a message of no role");
    if (!message) {
        note_unread(from, "a message", message.error());
        return;
    }
    env_.handler.on_link_message({.node = from, .role = static_cast<Role>(content[0])},
                                 static_cast<Role>(content[1]), std::move(*message));
}

void ClusterLinks::on_raw(const NodeId& from, std::string_view content) {
    if (content.empty()) {
        note_unread(from, "a raw frame", {Errc::bad_content, "it names no channel"});
        return;
    }
    const auto channel = static_cast<std::uint8_t>(content[0]);
    if (auto read = env_.handler.on_link_raw(from, channel, content.substr(1)); !read) {
        note_unread(from, fmt::format("bytes of channel {}", channel), read.error());
    }
}

// Of another release, perhaps: nothing wrong with the link, which stays.
void ClusterLinks::note_unread(const NodeId& from, std::string_view what, const Error& why) {
    const bool is_unknown = why.code == Errc::unknown_type || why.code == Errc::refused;
    (is_unknown ? stats_.unknown_messages : stats_.unreadable_messages).add();
    const MonoTime now = env_.clock.mono();
    Peer* peer = find_peer(from);
    if (peer == nullptr || (peer->unread_said && now - *peer->unread_said < kUnreadLogPause)) {
        return;
    }
    peer->unread_said = now;
    env_.log.warning(
        "link.unread",
        {{"node", from.raw()},
         {"why", fmt::format("{} of node '{}' cannot be read and was dropped ({}): is it of "
                             "another release? Run the same release on all nodes; if they do, "
                             "look for what changes bytes on the way",
                             what, from.raw(), to_string(why))}});
}

}  // namespace muster::runtime
