#include "roles/session/flap_damping.h"

#include <algorithm>

#include "base/check.h"

namespace muster::session {
namespace {

constexpr Duration kSweepInterval = std::chrono::seconds(1);

}  // namespace

std::string instance_of(const Publication& publication) {
    for (const std::string_view box : publication.boxes) {
        const auto endpoint = Endpoint::parse(box.substr(0, box.find('?')));
        if (endpoint) {
            return Endpoint{.ip = endpoint->ip, .port = endpoint->port}.to_box();
        }
    }
    return publication.id.raw();
}

FlapDamping::FlapDamping(const FlapDampingOptions& options, Log log)
    : options_(options), log_(log) {
    constexpr std::size_t kMost = 1000;
    CHECK(options.flips <= kMost && options.percent <= 100);
    if (options.flips > 0) {
        CHECK(options.window >= std::chrono::microseconds(1) && options.hold >= Duration{});
        interval_ = options.window / static_cast<std::int64_t>(options.flips);
    }
}

FlapDamping::Key FlapDamping::key_of(const Publication& publication) {
    return digest_of(publication.service->data_info_id() + "\n" + instance_of(publication));
}

void FlapDamping::went(const Publication& publication, MonoTime now) {
    if (interval_ == Duration{}) {
        return;
    }
    const Key key = key_of(publication);
    if (instances_.size() >= kTrackedMax && !instances_.contains(key)) {
        probe_.untracked.add();
        return;
    }
    Instance& instance = instances_[key];
    instance.gone = true;
    instance.went_at = now;
}

bool FlapDamping::damps(const Publication& publication, const Held& held, MonoTime now) {
    if (instances_.empty()) {
        return false;
    }
    const auto known = instances_.find(key_of(publication));
    if (known == instances_.end()) {
        return false;
    }
    Instance& instance = known->second;
    if (instance.gone) {
        instance.gone = false;
        ++instance.flips;
        probe_.flips.add();
        // It grows no further: what comes back at half the pace that is allowed is not damped.
        instance.forgiven_at = std::min(std::max(instance.forgiven_at, now) + interval_,
                                        now + options_.window + interval_);
    }
    const bool flapping = instance.forgiven_at - now > options_.window;
    note(instance, publication, flapping);
    if (!flapping) {
        return false;
    }
    const bool too_many =
        held.damped >= std::max<std::size_t>(held.all * options_.percent / 100, 1);
    if (too_many && (!too_many_at_ || now - *too_many_at_ >= options_.window)) {
        too_many_at_ = now;
        log_.error("session.flapping.too_many",
                   {{"damped", held.damped}, {"publications", held.all}});
    }
    (too_many ? probe_.too_many : probe_.damped).add();
    return !too_many;
}

void FlapDamping::note(Instance& instance, const Publication& publication, bool flapping) {
    if (instance.flapping == flapping) {
        return;
    }
    instance.flapping = flapping;
    if (flapping) {
        log_.warning("session.flapping", {{"service", publication.service->path()},
                                          {"instance", instance_of(publication)},
                                          {"client", std::string_view(publication.client_address)},
                                          {"came_back", instance.flips},
                                          {"hold_ms", to_ms(options_.hold)}});
    }
}

void FlapDamping::shown(const Publication& publication) {
    probe_.shown.add();
    if (const auto known = instances_.find(key_of(publication)); known != instances_.end()) {
        known->second.flapping = false;
    }
    log_.info("session.flapping.shown",
              {{"service", publication.service->path()}, {"instance", instance_of(publication)}});
}

std::uint64_t FlapDamping::flips_of(const Publication& publication) const {
    const auto known = instances_.find(key_of(publication));
    return known == instances_.end() ? 0 : known->second.flips;
}

void FlapDamping::sweep(MonoTime now) {
    if (now - swept_at_ < kSweepInterval) {
        return;
    }
    swept_at_ = now;
    std::erase_if(instances_, [&](const auto& item) {
        const Instance& instance = item.second;
        return instance.forgiven_at <= now && now - instance.went_at >= options_.window;
    });
}

}  // namespace muster::session
