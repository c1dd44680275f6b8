#include "apps/muster/server/data_part.h"

#include "apps/muster/server/role_options.h"

namespace muster::cli {

DataPart::DataPart(Foundation& base, const std::string& peer_address)
    : disk_(*base.loop, base.folder, runtime::FileDiskOptions{.folder = "data"}),
      timers_(*base.loop),
      outbox_(base.bus->outbox({base.identity.node(), Role::data})) {
    if (base.config.history.enabled) {
        history_ =
            std::make_unique<runtime::HistoryThread>(*base.loop, history_options(base), base.log);
    }
    data::DataOptions options = data_options(base.config, base.identity);
    options.address = peer_address;
    options.peer_address = peer_address;
    options.zone = base.config.zone;
    options.folder = base.identity.owner.folder;
    role_ = std::make_unique<data::DataServer>(std::move(options),
                                               data::DataEnv{.clock = *base.loop,
                                                             .timers = timers_,
                                                             .outbox = *outbox_,
                                                             .log = base.log,
                                                             .disk = &disk_,
                                                             .on_members =
                                                                 [this](const auto& members) {
                                                                     if (on_members) {
                                                                         on_members(members);
                                                                     }
                                                                 },
                                                             .history = history_.get()});
    timers_.bind(*role_);
    disk_.bind(*role_);
}

std::optional<std::string> DataPart::not_ready() const {
    std::string what = role_->status().waits_for;
    return what.empty() ? std::nullopt : std::optional(std::move(what));
}

void DataPart::write_metrics(MetricsWriter& writer) const {
    role_->write_metrics(writer);
    if (history_ != nullptr) {
        history_->write_metrics(writer);
    }
}

}  // namespace muster::cli
