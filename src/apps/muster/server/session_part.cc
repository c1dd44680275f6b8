#include "apps/muster/server/session_part.h"

#include "apps/muster/server/role_options.h"
#include "runtime/disk/files.h"

namespace muster::cli {
namespace {

// Another one after each start of the machine (man 4 random); empty when the kernel does not tell.
std::string boot_id() {
    return runtime::read_file("/proc/sys/kernel/random/boot_id").value_or("");
}

}  // namespace

SessionPart::SessionPart(Foundation& base)
    : disk_(*base.loop, base.folder, runtime::FileDiskOptions{.folder = "session"}),
      timers_(*base.loop),
      outbox_(base.bus->outbox({base.identity.node(), Role::session})),
      port_timers_(*base.loop),
      port_(bolt_options(base.config), *base.net, *base.loop, port_timers_, base.log) {
    port_timers_.bind(port_);
}

void SessionPart::make_role(Foundation& base, const std::string& peer_address) {
    session::SessionOptions options = session_options(base.config, base.identity);
    env::SocketAddress address = base.config.advertise.value_or(base.config.bolt.listen);
    address.ip = reachable_ip(base, address.ip);
    options.address = env::to_string(address);
    options.peer_address = peer_address;
    options.zone = base.config.zone;
    options.folder = base.identity.owner.folder;
    options.boot = boot_id();
    const Identity& identity = base.identity;
    role_ = std::make_unique<session::SessionServer>(
        std::move(options),
        session::SessionEnv{.clock = *base.loop,
                            .timers = timers_,
                            .outbox = *outbox_,
                            .log = base.log,
                            .disk = &disk_,
                            .on_members =
                                [this](const auto& m) {
                                    if (on_members) {
                                        on_members(m);
                                    }
                                },
                            .prng = Prng(identity.owner.folder ^ ~identity.life.now.raw())});
    timers_.bind(*role_);
    disk_.bind(*role_);
    bolt_ = std::make_unique<doors::BoltDoor>(doors::BoltDoorOptions{}, *role_, base.log);
    native_ = std::make_unique<doors::NativeDoor>(
        doors::NativeDoorOptions{.pushes_packed_above = base.config.session.pushes_packed_above},
        *role_, base.log);
    port_.serve(bolt::kCodecHessian, *bolt_);
    port_.serve(bolt::kCodecProtobuf, *native_);
}

Result<std::unique_ptr<SessionPart>> SessionPart::create(Foundation& base,
                                                         const std::string& peer_address) {
    auto part = std::unique_ptr<SessionPart>(new SessionPart(base));
    part->make_role(base, peer_address);
    const env::SocketAddress& wanted = base.config.bolt.listen;
    auto at = part->port_.listen(wanted);
    if (!at) {
        return explain_listen(std::move(at).error(), "bolt.listen", wanted);
    }
    part->listening_ = *std::move(at);
    return part;
}

std::optional<std::string> SessionPart::not_ready() const {
    const session::SessionStatus status = role_->status();
    if (status.ready) {
        return std::nullopt;
    }
    return status.table_epoch == Epoch{} ? "no slot table is known yet: no meta server has answered"
                                         : "not every slot has a leader yet: no data server lives";
}

void SessionPart::leave(std::function<void()> gone) {
    role_->leave(std::move(gone));
}

void SessionPart::stop() {
    role_->stop();
    port_.stop();
}

void SessionPart::write_metrics(MetricsWriter& writer) const {
    role_->write_metrics(writer);
    port_.write_metrics(writer);
    bolt_->write_metrics(writer);
    native_->write_metrics(writer);
}

}  // namespace muster::cli
