#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/gathered_sends.h"
#include "env/net.h"
#include "env/timers.h"
#include "msg/outbox.h"
#include "runtime/links/frame.h"
#include "runtime/links/handshake.h"
#include "runtime/links/hello.h"
#include "runtime/links/link_stats.h"

namespace muster::runtime {

struct ClusterLinksOptions {
    std::string cluster;  // its name; nodes of another one are refused
    std::string secret;   // shared by all nodes; not empty
    NodeId node;
    std::uint64_t folder = 0;
    Incarnation incarnation;
    // Where others reach this node, told in the hello. None: the address that is listened at.
    std::optional<env::SocketAddress> advertise;

    Duration ping_after = std::chrono::milliseconds(250);  // nothing sent for so long
    Duration silent_after = std::chrono::seconds(1);       // nothing heard for so long
    Duration backoff_min = std::chrono::milliseconds(50);  // between dials that fail
    Duration backoff_max = std::chrono::seconds(1);
    Duration connect_timeout = std::chrono::seconds(1);
    Duration dialler_handshake_timeout = std::chrono::seconds(2);
    Duration accepter_handshake_timeout = std::chrono::seconds(5);

    std::size_t frame_max = std::size_t{32} << 20;
    std::size_t queue_max_bytes = std::size_t{16} << 20;  // unsent, of one peer; more is dropped
    std::size_t pending_max = 64;                         // accepted, not yet proved
    std::size_t peers_max = 4096;
};

// What comes out of the links. Called on the loop, never from within a call to ClusterLinks; may
// call send(), send_raw() and learn(), not forget().
class LinkHandler {
public:
    virtual ~LinkHandler() = default;
    virtual void on_link_message(const msg::RoleAddress& from, Role to,
                                 msg::ClusterMessage message) = 0;
    // Bytes of a protocol of its own, `channel` says which. Valid during the call only. Errors:
    // what cannot be read, for whatever reason; it is counted and said here.
    [[nodiscard]] virtual Result<void> on_link_raw(const NodeId& from, std::uint8_t channel,
                                                   std::string_view bytes) = 0;
    virtual void on_link_event(const NodeId& node, msg::LinkEvent event) = 0;
};

struct ClusterLinksEnv {
    env::Net& net;
    env::Timers& timers;  // bound to the links by the owner
    env::Clock& clock;
    Prng prng;  // jitter of dials
    LinkHandler& handler;
    Log log;
    // kNonceBytes that nobody can foretell.
    std::function<std::string()> nonce;
    // Of `net`; null: what is sent goes at once.
    env::GatheredSends* gathered = nullptr;
};

// One link to each other node over an env::Net: docs/protocol/cluster.md.
//
// Nodes that were learnt are dialled until they are linked, and again when the link is lost. Others
// are linked when they dial. When both dialled, the connection of the lower node id serves, the
// other one ends after a while. What is sent while a link is up arrives in its order or not at all.
//
// What is told of a node:
//
//              +------- heard again, or linked again -------+
//              v                                            |
//   (new) --> up --nothing heard for silent_after--> silent-+
//     |        |                                       |    |
//     |        +--lost, and its machine refuses------> closed
//     +---------------------refused or silent------------^
//
// A connection that ends says nothing yet: the node is dialled at once (at the address it gave,
// when it was not learnt), and only a machine that refuses the dial proves that the process ended.
// A node that comes back with a later incarnation was closed, then is up. When this process itself
// was stopped for a while, that time does not count as silence of others.
//
// Loop thread only. Bounds: ClusterLinksOptions; a connection that has not proved the secret takes
// frames of at most kHandshakeFrameMax, for a limited time. Must outlive nothing: it closes its
// connections when it goes, and tells nothing then.
class ClusterLinks final : public env::TimerTarget,
                           private env::ConnectionHandler,
                           private LinkAdmission {
public:
    ClusterLinks(ClusterLinksOptions options, ClusterLinksEnv env);
    ~ClusterLinks() override;
    ClusterLinks(const ClusterLinks&) = delete;
    ClusterLinks& operator=(const ClusterLinks&) = delete;

    // Called once, before anything else. Errors: bad_config (an empty secret), address_in_use,
    // invalid_argument, io_error.
    [[nodiscard]] Result<void> listen(const env::SocketAddress& at);
    // Requires: listen() succeeded.
    [[nodiscard]] env::SocketAddress local_address() const;

    // `node` is to be linked, at this address from now on. Of this node itself: no effect.
    void learn(const NodeId& node, const env::SocketAddress& address);
    // It is not to be dialled any more; a link that it dialled stays. Not from within a handler.
    void forget(const NodeId& node);

    // Queues the message behind what was sent before. Dropped and counted: without a link, over
    // queue_max_bytes, over frame_max.
    void send(Role from, const msg::RoleAddress& to, const msg::ClusterMessage& message);
    void send_raw(const NodeId& to, std::uint8_t channel, std::string_view bytes);

    // So much is unsent that more had better wait.
    [[nodiscard]] bool congested(const NodeId& node) const;
    // The last event told of it; none: nothing yet.
    [[nodiscard]] std::optional<msg::LinkEvent> state(const NodeId& node) const;
    // Why there is no link to it, when that was said by one side; of the last try.
    [[nodiscard]] std::optional<RefusalReason> refusal(const NodeId& node) const;
    // Linked, whether heard of lately or not.
    [[nodiscard]] std::size_t linked_count() const;

    [[nodiscard]] const LinkStats& stats() const {
        return stats_;
    }
    void write_metrics(MetricsWriter& writer) const;

    void on_timer(env::TimerKey key) override;

private:
    struct Peer;
    struct Connection {
        env::ConnId id;
        LinkSide side = LinkSide::accepter;
        env::SocketAddress remote;
        std::optional<NodeId> node;            // expected, then proved
        std::unique_ptr<Handshake> handshake;  // until the link is up
        FrameReader reader{kHandshakeFrameMax};
        bool connected = true;
        bool up = false;
        MonoTime since;  // dialled or accepted, connected, then up
        MonoTime last_sent;
    };
    struct Peer {
        NodeId node;
        std::uint64_t number = 0;                  // names its timer
        std::optional<env::SocketAddress> learnt;  // to be dialled
        std::optional<env::SocketAddress> told;    // in its hello
        std::uint64_t folder = 0;
        Incarnation incarnation;              // zero: never linked
        std::optional<env::ConnId> dialled;   // up
        std::optional<env::ConnId> accepted;  // up
        std::optional<env::ConnId> attempt;   // a dial on its way
        bool dial_armed = false;
        bool probing = false;  // its link was lost: did its process end?
        Duration backoff{};
        std::optional<msg::LinkEvent> state;
        MonoTime last_heard;                        // or learnt
        std::optional<RefusalReason> last_refusal;  // logged already
        std::optional<MonoTime> unread_said;        // that it sends what cannot be read

        [[nodiscard]] bool linked() const {
            return dialled.has_value() || accepted.has_value();
        }
    };

    // Peers and dials (cluster_links.cc).
    [[nodiscard]] Peer* find_peer(const NodeId& node);
    [[nodiscard]] const Peer* find_peer(const NodeId& node) const;
    [[nodiscard]] Peer& peer_of(const NodeId& node);
    void erase_peer(Peer& peer);
    [[nodiscard]] Peer* unneeded_peer();
    // The connection that messages to it go by; null: not linked.
    [[nodiscard]] Connection* serving(const Peer& peer);
    [[nodiscard]] static std::optional<env::SocketAddress> address_of(const Peer& peer);
    [[nodiscard]] static bool needs_dial(const Peer& peer);
    void send_frame(const NodeId& to, FrameKind kind, std::string_view head, std::string_view body);
    void tell(Peer& peer, msg::LinkEvent event);
    void dial_after(Peer& peer, Duration delay);
    void stop_dialling(Peer& peer);
    void dial(Peer& peer);
    void on_dial_failed(Peer& peer, bool by_its_machine);
    void on_link_lost(Peer& peer);

    // Connections (connections.cc).
    void on_accepted(env::ConnId id, const env::SocketAddress& peer) override;
    void on_connected(env::ConnId id) override;
    void on_bytes(env::ConnId id, std::string_view bytes) override;
    void on_drained(env::ConnId /*id*/) override {}
    void on_closed(env::ConnId id, const Error& why) override;
    [[nodiscard]] std::optional<LinkRefusal> admit(const LinkHello& hello) const override;
    // They return whether the connection still is there.
    [[nodiscard]] bool on_frame(env::ConnId id, FrameKind kind, std::string_view content);
    [[nodiscard]] bool on_handshake_frame(Connection& conn, FrameKind kind,
                                          std::string_view content);
    [[nodiscard]] bool end_garbled(const Connection& conn, std::string_view why);
    void on_bye(const Connection& conn);
    void adopt(Connection& conn, const LinkHello& hello);
    void heard(const Connection& conn);
    [[nodiscard]] bool may_log_stranger(std::optional<MonoTime>& logged) const;
    void log_refusal(const Connection& conn, const LinkRefusal& refusal, bool by_peer);
    [[nodiscard]] std::unique_ptr<Handshake> new_handshake(const Connection& conn) const;
    void write(Connection& conn, FrameKind kind, std::string frames);
    // Closes it and forgets it, with what follows for its peer.
    void end(env::ConnId id);
    void forget_connection(env::ConnId id, bool by_its_machine);

    // What linked nodes say (messages.cc).
    void on_message(const NodeId& from, std::string_view content);
    void on_raw(const NodeId& from, std::string_view content);
    void note_unread(const NodeId& from, std::string_view what, const Error& why);

    // The steady beat (beat.cc).
    void beat();
    void forgive_own_pause(Duration pause);
    void beat_connections(MonoTime now);
    void beat_peers(MonoTime now);

    ClusterLinksOptions options_;
    ClusterLinksEnv env_;
    std::optional<env::ListenerId> listener_;
    LinkHello self_;
    std::map<env::ConnId, Connection> connections_;
    std::map<NodeId, Peer> peers_;
    std::map<std::uint64_t, NodeId> by_number_;
    std::uint64_t last_number_ = 0;
    std::size_t pending_ = 0;  // accepted, not up
    MonoTime last_beat_;
    std::optional<MonoTime> refusal_logged_;  // of who proved nothing
    std::optional<MonoTime> garbled_logged_;
    LinkStats stats_;
};

}  // namespace muster::runtime
