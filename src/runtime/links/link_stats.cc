#include "runtime/links/link_stats.h"

#include <string_view>

namespace muster::runtime {
namespace {

constexpr std::array<std::string_view, LinkStats::kKinds> kKindNames{
    "", "hello", "proof", "ready", "refusal", "ping", "bye", "message", "raw"};
constexpr std::array<std::string_view, 3> kEventNames{"up", "closed", "silent"};

void write_traffic(MetricsWriter& writer, std::string_view frames_name, std::string_view bytes_name,
                   const std::array<LinkStats::Traffic, LinkStats::kKinds>& traffic) {
    for (std::size_t kind = 1; kind < traffic.size(); ++kind) {
        writer.counter(frames_name, "Frames of links between nodes.", traffic[kind].frames.value(),
                       {{"kind", kKindNames[kind]}});
    }
    for (std::size_t kind = 1; kind < traffic.size(); ++kind) {
        writer.counter(bytes_name, "Bytes of these frames.", traffic[kind].bytes.value(),
                       {{"kind", kKindNames[kind]}});
    }
}

void write_refusals(MetricsWriter& writer, std::string_view name, std::string_view help,
                    const std::array<Counter, kRefusalReasons>& refusals) {
    for (std::size_t reason = 0; reason < refusals.size(); ++reason) {
        writer.counter(name, help, refusals[reason].value(),
                       {{"reason", to_string(static_cast<RefusalReason>(reason))}});
    }
}

}  // namespace

void LinkStats::write_metrics(MetricsWriter& writer) const {
    write_traffic(writer, "muster_link_sent_frames_total", "muster_link_sent_bytes_total", sent);
    write_traffic(writer, "muster_link_received_frames_total", "muster_link_received_bytes_total",
                  received);
    write_refusals(writer, "muster_link_refused_total", "Nodes whose link was refused here.",
                   refused);
    write_refusals(writer, "muster_link_refused_by_peer_total",
                   "Links of this node that others refused.", refused_by_peer);
    constexpr std::string_view kDropped = "muster_link_dropped_total";
    constexpr std::string_view kDroppedHelp = "Messages to other nodes that were not sent.";
    writer.counter(kDropped, kDroppedHelp, dropped_no_link.value(), {{"reason", "no_link"}});
    writer.counter(kDropped, kDroppedHelp, dropped_queue_full.value(), {{"reason", "queue_full"}});
    writer.counter(kDropped, kDroppedHelp, dropped_too_large.value(), {{"reason", "too_large"}});
    constexpr std::string_view kUnread = "muster_link_unread_total";
    constexpr std::string_view kUnreadHelp = "Messages of other nodes that were not understood.";
    writer.counter(kUnread, kUnreadHelp, unknown_messages.value(), {{"reason", "newer_release"}});
    writer.counter(kUnread, kUnreadHelp, unreadable_messages.value(), {{"reason", "malformed"}});
    constexpr std::string_view kEnded = "muster_link_connections_ended_total";
    constexpr std::string_view kEndedHelp = "Connections that were ended for what they did.";
    writer.counter(kEnded, kEndedHelp, garbled.value(), {{"reason", "garbled"}});
    writer.counter(kEnded, kEndedHelp, over_pending_max.value(), {{"reason", "too_many_unproved"}});
    writer.counter(kEnded, kEndedHelp, handshake_timeouts.value(), {{"reason", "no_handshake"}});
    writer.counter("muster_link_dials_total", "Connections dialled to other nodes.", dials.value());
    writer.counter("muster_link_dial_failures_total", "Dialled ones that did not become a link.",
                   dial_failures.value());
    writer.counter("muster_link_made_total", "Connections that became links.", links_made.value());
    writer.counter("muster_link_lost_total", "Links whose connection ended.", links_lost.value());
    for (std::size_t event = 0; event < events.size(); ++event) {
        writer.counter("muster_link_events_total", "What was told of other nodes.",
                       events[event].value(), {{"event", kEventNames[event]}});
    }
}

}  // namespace muster::runtime
