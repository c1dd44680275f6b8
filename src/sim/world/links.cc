#include "sim/world/links.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr std::uint64_t kOutOf = 10'000;
constexpr Channel kLinkChannel = 6;

std::string_view to_string(msg::LinkEvent event) {
    switch (event) {
        case msg::LinkEvent::up: return "up";
        case msg::LinkEvent::closed: return "closed";
        case msg::LinkEvent::silent: break;
    }
    return "silent";
}

}  // namespace

void Links::attach(End end) {
    if (ends_.empty()) {
        scheduler_.after(kLook, [this] { look(); });
    }
    ends_.push_back(std::move(end));
    sights_.resize(ends_.size());
    for (auto& row : sights_) {
        row.resize(ends_.size());
    }
}

bool Links::linked(const End& one, const End& other) {
    return one.node != other.node && !(one.session_only && other.session_only);
}

void Links::look() {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
        if (!ends_[i].process->alive() || ends_[i].process->paused()) {
            continue;
        }
        for (std::size_t j = 0; j < ends_.size(); ++j) {
            if (linked(ends_[i], ends_[j])) {
                look_from(ends_[i], ends_[j], sights_[i][j]);
            }
        }
    }
    scheduler_.after(kLook, [this] { look(); });
}

void Links::look_from(const End& observer, const End& peer, Sight& sight) {
    if (sight.life != observer.process->life()) {
        sight = {.life = observer.process->life()};
    }
    const bool cut = cuts_.apart(observer.node.raw(), peer.node.raw());
    if (!cut && peer.process->alive() && !peer.process->paused()) {
        sight.quiet_since.reset();
        say(observer, peer, sight, msg::LinkEvent::up);
    } else if (!cut && !peer.process->alive() && peer.machine_runs()) {
        say(observer, peer, sight, msg::LinkEvent::closed);
    } else if (!sight.quiet_since) {
        sight.quiet_since = scheduler_.now();
    } else if (scheduler_.now() - *sight.quiet_since >= kSilence) {
        say(observer, peer, sight, msg::LinkEvent::silent);
    }
}

void Links::on_killed(const NodeId& node) {
    const auto place =
        static_cast<std::size_t>(std::ranges::find(ends_, node, &End::node) - ends_.begin());
    const End& peer = ends_[place];
    for (std::size_t i = 0; i < ends_.size(); ++i) {
        const End& observer = ends_[i];
        if (linked(observer, peer) && observer.process->alive() &&
            !cuts_.apart(observer.node.raw(), node.raw()) &&
            sights_[i][place].life == observer.process->life()) {
            say(observer, peer, sights_[i][place], msg::LinkEvent::closed);
        }
    }
}

void Links::say(const End& observer, const End& peer, Sight& sight, msg::LinkEvent event) {
    if (sight.told == event) {
        return;
    }
    sight.told = event;
    if (event != msg::LinkEvent::up && faults.missing > 0 && prng_.chance(faults.missing, kOutOf)) {
        return;
    }
    Duration delay = std::chrono::microseconds(prng_.between(1'000, 5'000));
    if (faults.late > 0 && prng_.chance(faults.late, kOutOf)) {
        delay += Duration(prng_.between(0, faults.late_max.count()));
    }
    sight.last = std::max(sight.last, scheduler_.now() + delay);
    observer.process->post(
        sight.last - scheduler_.now(), kLinkChannel, [&observer, peer = peer.node, event] {
            observer.process->note(fmt::format("link to {} is {}", peer.raw(), to_string(event)));
            observer.tell(peer, event);
        });
}

}  // namespace muster::sim
