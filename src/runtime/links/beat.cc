#include <vector>

#include "runtime/links/cluster_links.h"
#include "runtime/links/timer_keys.h"

// What happens by the clock: pings, silence, patience.
namespace muster::runtime {

using msg::LinkEvent;

namespace {

// A beat that is late by more: this process stood still.
constexpr Duration kOwnPause = 5 * kBeat;

}  // namespace

void ClusterLinks::beat() {
    env_.timers.arm(kBeatKey, kBeat);
    const MonoTime now = env_.clock.mono();
    const Duration passed = now - std::exchange(last_beat_, now);
    if (passed > kOwnPause) {
        forgive_own_pause(passed - kBeat);
    }
    beat_connections(now);
    beat_peers(now);
}

void ClusterLinks::forgive_own_pause(Duration pause) {
    const MonoTime now = env_.clock.mono();
    const auto later = [&](MonoTime& time) { time = std::min(time + pause, now); };
    for (auto& [id, conn] : connections_) {
        later(conn.since);
    }
    for (auto& [node, peer] : peers_) {
        later(peer.last_heard);
    }
    env_.log.info("link.own_pause", {{"ms", to_ms(pause)}});
}

void ClusterLinks::beat_connections(MonoTime now) {
    std::vector<env::ConnId> too_slow;
    std::vector<env::ConnId> doubled;
    for (auto& [id, conn] : connections_) {
        const Duration age = now - conn.since;
        if (!conn.up) {
            const Duration patience = !conn.connected ? options_.connect_timeout
                                      : conn.side == LinkSide::dialler
                                          ? options_.dialler_handshake_timeout
                                          : options_.accepter_handshake_timeout;
            if (age >= patience) {
                too_slow.push_back(id);
            }
            continue;
        }
        const Connection& serves = *serving(*find_peer(*conn.node));
        if (serves.id == id) {
            if (now - conn.last_sent >= options_.ping_after) {
                std::string ping;
                append_frame(ping, FrameKind::ping, {});
                write(conn, FrameKind::ping, std::move(ping));
            }
        } else if (age >= options_.silent_after && now - serves.since >= options_.silent_after) {
            doubled.push_back(id);
        }
    }
    for (const env::ConnId id : too_slow) {
        if (connections_.at(id).connected) {
            stats_.handshake_timeouts.add();
        }
        end(id);
    }
    for (const env::ConnId id : doubled) {
        std::string bye;
        append_frame(bye, FrameKind::bye, {});
        write(connections_.at(id), FrameKind::bye, std::move(bye));
        end(id);
    }
}

void ClusterLinks::beat_peers(MonoTime now) {
    for (auto& [node, peer] : peers_) {
        if (now - peer.last_heard < options_.silent_after) {
            continue;
        }
        peer.probing = false;
        if (!peer.state || peer.state == LinkEvent::up) {
            tell(peer, LinkEvent::silent);
            if (needs_dial(peer) && !peer.dial_armed) {
                dial_after(peer, Duration::zero());
            }
        }
    }
}

}  // namespace muster::runtime
