#include <algorithm>

#include "model/asked_by.h"
#include "roles/meta/meta_impl.h"

// The cluster's brake (docs/adr/0009): data nodes say how much they lead and how much of it closed
// or fell silent; when that is more than is believed, they are told to hold whatever follows. Every
// meta counts for itself, so that one that comes to lead knows; the leading one's word counts.
namespace muster::meta {
namespace {

constexpr const char* kCluster = "cluster";

}  // namespace

void MetaServer::Impl::count_removals(const NodeId& node, const msg::NodeHeartbeat& heartbeat) {
    const Incarnation life = heartbeat.member.incarnation;
    const auto [known, is_new] = data_counts_.try_emplace(node);
    DataCount& count = known->second;
    // What a node counted before we heard of it is old. A later life counts from zero.
    std::uint64_t news = 0;
    if (!is_new && count.life == life) {
        news = heartbeat.removals - std::min(heartbeat.removals, count.removals);
    } else if (!is_new) {
        news = heartbeat.removals;
    }
    const std::uint64_t before = !is_new && count.life == life ? count.removals : std::uint64_t{0};
    count = {.life = life,
             .publications = heartbeat.publications,
             .removals = std::max(before, heartbeat.removals)};
    if (news == 0) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    std::uint64_t living = news;
    for (const auto& [other, its] : data_counts_) {
        if (liveness_.within_lease({.node = other, .role = Role::data}, now)) {
            living += its.publications;
        }
    }
    if (!brake_.admit(kCluster, news, living, now) && !brake_on_) {
        brake_trips_.add();
        brake_on_ = {.since = now,
                     .why = brake_.why(*brake_.trip(kCluster), "publications of the cluster")};
        env_.log.error("meta.brake.on", {{"why", brake_on_->why}});
        tell_data_nodes();
    }
}

// They need not wait for their next heartbeat.
void MetaServer::Impl::tell_data_nodes() {
    for (const auto& [node, count] : data_counts_) {
        reply_soon({.node = node, .role = Role::data});
    }
}

void MetaServer::Impl::look_after_brake() {
    const MonoTime now = env_.clock.mono();
    brake_.sweep(now);
    if (brake_on_ && !brake_.braking(kCluster)) {
        env_.log.info("meta.brake.off", {{"why", brake_on_->why}});
        brake_on_.reset();
    }
    std::erase_if(data_counts_, [&](const auto& item) {
        return liveness_.find({.node = item.first, .role = Role::data}) == nullptr;
    });
    std::erase_if(session_brakes_, [&](const auto& item) {
        return liveness_.find({.node = item.first, .role = Role::session}) == nullptr;
    });
}

std::vector<msg::BrakeLine> MetaServer::Impl::brake_lines() const {
    std::vector<msg::BrakeLine> lines;
    for (const auto& [node, brakes] : session_brakes_) {
        for (msg::BrakeLine line : brakes) {
            line.name = node.raw();
            line.node = node;
            lines.push_back(std::move(line));
        }
    }
    if (brake_on_) {
        lines.push_back({.scope = msg::BrakeScope::cluster,
                         .name = kCluster,
                         .node = options_.node,
                         .braking = true,
                         .why = brake_on_->why,
                         .age_ms = to_ms(env_.clock.mono() - brake_on_->since)});
    }
    return lines;
}

void MetaServer::Impl::on_brake(const msg::RoleAddress& from, const msg::BrakeRequest& request) {
    if (!leading_) {
        return;  // the leader answers
    }
    operator_requests_.add();
    using Action = msg::BrakeRequest::Action;
    msg::BrakeReply reply{.incarnation = request.incarnation, .request = request.request};
    if (request.action == Action::report) {
        reply.lines = brake_lines();
        reply.more = reply.lines.size() > msg::BrakeReply::kLinesMax;
        reply.lines.resize(std::min(reply.lines.size(), msg::BrakeReply::kLinesMax));
    } else if (request.scope == msg::BrakeScope::cluster && brake_on_) {
        env_.log.warning("meta.brake.released",
                         {{"by", from.node.raw()}, {"asked_by", asked_by_of(request.asked_by)}});
        reply.brakes = 1;
        brake_.release(kCluster);
        brake_on_.reset();
        tell_data_nodes();
    } else if (request.scope == msg::BrakeScope::session) {
        // Operators reach data nodes and metas from everywhere; sessions are reached from here.
        const auto brakes = session_brakes_.find(NodeId(request.name));
        if (brakes != session_brakes_.end()) {
            msg::BrakeRequest passed_on = request;
            passed_on.asked_at = from.node;
            env_.outbox.send({NodeId(request.name), Role::session}, std::move(passed_on));
            for (const msg::BrakeLine& line : brakes->second) {
                ++reply.brakes;
                reply.publications += line.held;
            }
        }
    }
    env_.outbox.send(from, std::move(reply));
}

}  // namespace muster::meta
