#include <algorithm>
#include <utility>

#include "roles/session/session_impl.h"

// Instances that come and go too often are not shown before they stay (docs/adr/0012).
namespace muster::session {

std::vector<FlappingInstance> SessionServer::flapping(std::size_t limit) const {
    return impl_->flapping(limit);
}

void SessionServer::Impl::show_released(MonoTime now) {
    write_all(registrations_.release_damped(now));
    flap_damping_.sweep(now);
}

std::vector<FlappingInstance> SessionServer::Impl::flapping(std::size_t limit) const {
    std::vector<FlappingInstance> infos;
    const MonoTime now = env_.clock.mono();
    registrations_.for_each_damped(
        [&](const Publication& publication, const Registrations::Damped& damped) {
            if (infos.size() < limit) {
                infos.push_back({.id = publication.id,
                                 .service = publication.service,
                                 .instance = instance_of(publication),
                                 .client_address = std::string(publication.client_address.view()),
                                 .flips = flap_damping_.flips_of(publication),
                                 .held = now - damped.since,
                                 .left = std::max(damped.shown_at - now, Duration{})});
            }
        });
    return infos;
}

void SessionServer::Impl::write_flap_counts(MetricsWriter& writer) const {
    const auto& counts = flap_damping_.probe();
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    counter("muster_session_flips_total", "Instances that came back after they had gone from here.",
            counts.flips);
    counter("muster_session_damped_total",
            "Of these, flapping ones that were not shown before they stayed.", counts.damped);
    counter("muster_session_damped_shown_total", "Of those, shown because they stayed.",
            counts.shown);
    counter("muster_session_flaps_not_damped_total",
            "Flapping instances that were shown at once because too many flap.", counts.too_many);
    counter("muster_session_flaps_untracked_total",
            "Instances that went and were not watched for flapping, because too many went.",
            counts.untracked);
    writer.gauge("muster_session_damped_publications",
                 "Publications of flapping instances, not shown yet.",
                 static_cast<std::int64_t>(registrations_.damped()));
    writer.gauge("muster_session_flap_entries", "Instances that went lately and are watched.",
                 static_cast<std::int64_t>(flap_damping_.tracked()));
}

}  // namespace muster::session
