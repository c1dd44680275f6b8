#include "sim/raft/cluster.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"
#include "raft/message_codec.h"

namespace muster::raft::swarm {

namespace {

// Of the list as it was, whatever is applied since.
class ListView final : public StateView {
public:
    explicit ListView(std::vector<std::uint64_t> ids) : ids_(std::move(ids)) {}

    bool append_part(std::string& out, std::size_t bytes_max) override {
        const std::size_t end = out.size() + bytes_max;
        while (next_ < ids_.size() && out.size() < end) {
            append_big_endian(out, ids_[next_++]);
        }
        return next_ < ids_.size();
    }
    [[nodiscard]] std::size_t bytes_about() const override {
        return ids_.size() * 8;
    }

private:
    std::vector<std::uint64_t> ids_;
    std::size_t next_ = 0;
};

}  // namespace

// What a crash ends.
struct Cluster::Life final : public StateMachine,
                             public ConsensusListener,
                             public env::Timers,
                             public env::Disk,
                             public RaftTransport {
    Life(Cluster& world, Host& host_of_it, std::size_t place, std::uint64_t life_number)
        : cluster(world), host(host_of_it), at(place), number(life_number) {}

    // ---- StateMachine: the list of all commands
    std::string apply(LogIndex index, std::string_view command) override {
        const auto id = read_big_endian<std::uint64_t>(command, 0);
        cluster.oracle_.on_apply(id_of(at), ids.size(), index, id);
        ids.push_back(id);
        return std::to_string(index.raw());
    }
    [[nodiscard]] Result<void> readable(std::string_view command) const override {
        return command.size() < 8 ? fail(Errc::refused, "too short") : Result<void>{};
    }
    [[nodiscard]] std::string snapshot() const override {
        std::string bytes;
        (void)ListView(ids).append_part(bytes, ids.size() * 8);
        return bytes;
    }
    [[nodiscard]] std::unique_ptr<StateView> view() const override {
        return std::make_unique<ListView>(ids);
    }
    [[nodiscard]] Result<void> restore(std::string_view bytes) override {
        ids.clear();
        for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
            ids.push_back(read_big_endian<std::uint64_t>(bytes, i));
        }
        cluster.oracle_.on_restore(id_of(at), ids);
        return {};
    }

    // ---- ConsensusListener
    void on_applied(Ticket ticket, LogIndex index, std::string /*result*/) override {
        if (!cluster.others_.contains(ticket.raw())) {
            cluster.oracle_.on_acknowledged(ticket.raw(), index);
        }
        cluster.answers_[ticket.raw()] = {.good = true, .index = index, .why = {}};
    }
    void on_readable(Ticket ticket, LogIndex index) override {
        cluster.oracle_.on_read(id_of(at), cluster.reads_.at(ticket.raw()), index,
                                node->core().applied());
        cluster.answers_[ticket.raw()] = {.good = true, .index = index, .why = {}};
    }
    void on_refused(Ticket ticket, const Error& why) override {
        if (!cluster.others_.contains(ticket.raw()) && !cluster.reads_.contains(ticket.raw())) {
            cluster.oracle_.on_refused(ticket.raw(),
                                       why.code != Errc::io_error && why.code != Errc::timeout);
        }
        cluster.answers_[ticket.raw()] = {.good = false, .index = {}, .why = why};
    }
    void on_leadership(bool now_leads, Term /*term*/) override {
        leads = now_leads;
    }

    // ---- Timers
    void arm(env::TimerKey key, Duration delay) override;
    void cancel(env::TimerKey key) override {
        armed.erase(key);
    }

    // ---- Disk
    [[nodiscard]] Result<std::string> read(std::string_view path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view folder) override;
    void read_part(env::DiskOpId op, std::string_view path, std::uint64_t offset,
                   std::size_t bytes_max) override;
    void append(env::DiskOpId op, std::string_view path, std::string bytes) override;
    void replace(env::DiskOpId op, std::string_view path, std::string bytes) override;
    void remove(env::DiskOpId op, std::string_view path) override;
    void on_queued();

    // ---- RaftTransport
    void send(const NodeId& to, std::string bytes) override {
        cluster.send(at, to, bytes);
    }

    Cluster& cluster;
    Host& host;
    std::size_t at;
    std::uint64_t number;
    std::vector<std::uint64_t> ids;
    bool leads = false;
    std::map<env::TimerKey, MonoTime> armed;
    MonoTime disk_busy_until;
    Oracle::Eye eye;
    std::unique_ptr<RaftNode> node;
};

struct Cluster::Host {
    env::MemoryDisk disk;
    DiskWeather weather;
    std::uint64_t lives = 0;
    std::unique_ptr<Life> life;
    std::int64_t clock_percent = 100;
    bool paused = false;
    std::vector<Event> missed;  // while paused
    std::optional<Error> start_error;
};

void Cluster::Life::arm(env::TimerKey key, Duration delay) {
    // The next turn of a loop that has other things to do comes later, too.
    const Duration wait =
        delay > Duration::zero() ? delay : cluster.within({}, std::chrono::microseconds(300));
    const MonoTime due = cluster.now_ + wait * host.clock_percent / 100;
    armed[key] = due;
    cluster.schedule(due, {Event::Kind::timer, at, number, key, due, {}});
}
Result<std::string> Cluster::Life::read(std::string_view path) {
    return host.disk.read(path);
}
Result<std::vector<std::string>> Cluster::Life::list(std::string_view folder) {
    return host.disk.list(folder);
}
void Cluster::Life::read_part(env::DiskOpId op, std::string_view path, std::uint64_t offset,
                              std::size_t bytes_max) {
    host.disk.read_part(op, path, offset, bytes_max);
    on_queued();
}
void Cluster::Life::append(env::DiskOpId op, std::string_view path, std::string bytes) {
    host.disk.append(op, path, std::move(bytes));
    on_queued();
}
void Cluster::Life::replace(env::DiskOpId op, std::string_view path, std::string bytes) {
    host.disk.replace(op, path, std::move(bytes));
    on_queued();
}
void Cluster::Life::remove(env::DiskOpId op, std::string_view path) {
    host.disk.remove(op, path);
    on_queued();
}
void Cluster::Life::on_queued() {
    disk_busy_until = std::max(disk_busy_until, cluster.now_) +
                      cluster.within(host.weather.delay_min, host.weather.delay_max);
    cluster.schedule(disk_busy_until,
                     {Event::Kind::disk, at, number, env::TimerKey(), disk_busy_until, {}});
}

RaftNodeOptions small_bounds() {
    RaftNodeOptions options;
    options.cluster = 0xC1;
    options.core.append_bytes_max = 512;
    options.core.append_entries_max = 8;
    options.core.window = {.messages_max = 8, .bytes_max = 4096};
    options.core.chunk_bytes = 256;
    options.core.uncommitted_max = 64;
    options.core.trailing_bytes = 2048;
    options.snapshot_part_bytes = 128;
    options.reserve = {.bytes = 8192, .piece_bytes = 2048, .interval = std::chrono::seconds(5)};
    options.snapshot_after_bytes = 2048;
    options.snapshot_after_records = 60;
    return options;
}

ScrubOptions frequent_scrub() {
    return {.part_bytes = 512,
            .part_interval = std::chrono::milliseconds(100),
            .round_interval = std::chrono::seconds(2)};
}

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)), dice_(options_.seed) {
    CHECK(options_.voters <= options_.hosts);
    for (std::size_t i = 0; i < options_.hosts; ++i) {
        hosts_.push_back(std::make_unique<Host>());
    }
    for (std::size_t i = 0; i < options_.hosts; ++i) {
        start(i);
    }
}

Cluster::~Cluster() = default;

NodeId Cluster::id_of(std::size_t host) {
    return NodeId(fmt::format("n{}", host + 1));
}

std::optional<std::size_t> Cluster::host_of(const NodeId& id) const {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (id_of(i) == id) {
            return i;
        }
    }
    return std::nullopt;
}

Duration Cluster::within(Duration low, Duration high) {
    return Duration(dice_.between(low.count(), high.count()));
}

// ---- time

void Cluster::schedule(MonoTime at, Event event) {
    events_.emplace(Key{at, ++sequence_}, std::move(event));
}

bool Cluster::step() {
    if (events_.empty()) {
        return false;
    }
    auto first = events_.extract(events_.begin());
    now_ = std::max(now_, first.key().first);
    deliver(std::move(first.mapped()));
    return true;
}

void Cluster::deliver(Event event) {
    Host& host = *hosts_[event.host];
    if (!host.life || (event.kind != Event::Kind::message && event.life != host.life->number)) {
        return;
    }
    Life& life = *host.life;
    if (host.paused) {
        host.missed.push_back(std::move(event));
        return;
    }
    if (event.kind == Event::Kind::timer) {
        const auto armed = life.armed.find(event.timer);
        if (armed == life.armed.end() || armed->second != event.due) {
            return;
        }
        life.armed.erase(armed);
        life.node->on_timer(event.timer);
    } else if (event.kind == Event::Kind::disk) {
        if (host.weather.full && !host.disk.reads_next()) {
            host.disk.fail_next(1, {Errc::io_error, "no space left on device"}, dice_.below(64));
        }
        host.disk.pump_one();
    } else {
        CHECK(life.node->on_message(event.bytes).has_value());
    }
    std::string mark = fmt::format("{}/{}/{}/{}", now_.time_since_epoch().count(), event.host,
                                   static_cast<int>(event.kind), event.timer.raw());
    trace_ = hash64(mark, hash64(event.bytes, trace_));
    oracle_.look(id_of(event.host), life.node->core(), life.eye);
}

void Cluster::run_for(Duration time) {
    const MonoTime end = now_ + time;
    while (!oracle_.complaint() && !events_.empty() && events_.begin()->first.first <= end) {
        step();
    }
    now_ = end;
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
    const MonoTime end = now_ + limit;
    while (!oracle_.complaint()) {
        if (done()) {
            return true;
        }
        if (events_.empty() || events_.begin()->first.first > end) {
            now_ = end;
            return false;
        }
        step();
    }
    return false;
}

// ---- faults

void Cluster::start(std::size_t at) {
    Host& host = *hosts_[at];
    CHECK(!host.life);
    host.life = std::make_unique<Life>(*this, host, at, ++host.lives);
    Life& life = *host.life;
    RaftNodeOptions options = options_.node;
    options.core.node = id_of(at);
    options.first_life = host.lives;
    if (at < options_.voters) {
        options.bootstrap = Membership{};
        for (std::size_t i = 0; i < options_.voters; ++i) {
            options.bootstrap->voters.push_back(id_of(i));
        }
    }
    life.node =
        std::make_unique<RaftNode>(std::move(options), RaftNodeEnv{.disk = life,
                                                                   .timers = life,
                                                                   .transport = life,
                                                                   .prng = Prng(dice_.next()),
                                                                   .log = {}});
    host.disk.attach(*life.node);
    host.start_error.reset();
    if (auto started = life.node->start(life, life); !started) {
        host.start_error = started.error();
        host.life.reset();
        return;
    }
    oracle_.look(id_of(at), life.node->core(), life.eye);
}

void Cluster::wipe(std::size_t at) {
    env::MemoryDisk& files = disk(at);
    while (!files.files().empty()) {
        files.erase(std::string(files.files().begin()->first));
    }
}

void Cluster::crash(std::size_t at, const env::MemoryDisk::Crash& how) {
    Host& host = *hosts_[at];
    host.disk.crash(how);
    host.life.reset();
    host.paused = false;
    host.missed.clear();
}

void Cluster::pause(std::size_t at) {
    hosts_[at]->paused = true;
}

void Cluster::resume(std::size_t at) {
    Host& host = *hosts_[at];
    host.paused = false;
    for (Event& event : std::exchange(host.missed, {})) {
        schedule(now_, std::move(event));
    }
}

void Cluster::leap(std::size_t at) {
    Host& host = *hosts_[at];
    if (!host.life) {
        return;
    }
    for (auto& [key, due] : host.life->armed) {
        due = now_;
        schedule(now_, {Event::Kind::timer, at, host.life->number, key, now_, {}});
    }
}

void Cluster::stall_clock(std::size_t at, Duration time) {
    Host& host = *hosts_[at];
    if (!host.life) {
        return;
    }
    for (auto& [key, due] : host.life->armed) {
        due += time;
        schedule(due, {Event::Kind::timer, at, host.life->number, key, due, {}});
    }
}

void Cluster::set_clock_rate(std::size_t host, std::int64_t percent) {
    hosts_[host]->clock_percent = percent;
}

void Cluster::cut(std::size_t from, std::size_t to) {
    cuts_.emplace(from, to);
}

void Cluster::isolate(std::size_t host) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (i != host) {
            cut(i, host);
            cut(host, i);
        }
    }
}

void Cluster::split(std::uint64_t side) {
    for (std::size_t from = 0; from < hosts_.size(); ++from) {
        for (std::size_t to = 0; to < hosts_.size(); ++to) {
            if ((side >> from & 1U) != (side >> to & 1U)) {
                cut(from, to);
            }
        }
    }
}

void Cluster::heal_network() {
    cuts_.clear();
}

DiskWeather& Cluster::disk_weather(std::size_t host) {
    return hosts_[host]->weather;
}

void Cluster::limit_disk(std::size_t host, std::size_t room) {
    env::MemoryDisk& disk = hosts_[host]->disk;
    disk.set_capacity(room == kRoomForAll ? kRoomForAll : disk.used() + room);
}

env::MemoryDisk& Cluster::disk(std::size_t host) {
    return hosts_[host]->disk;
}

void Cluster::send(std::size_t from, const NodeId& to, const std::string& bytes) {
    const auto host = host_of(to);
    if (!host || cuts_.contains({from, *host}) || dice_.below(1000) < network_.lost_per_mille) {
        return;
    }
    if (filter) {
        auto envelope = decode_message(bytes);
        CHECK_BECAUSE(envelope.has_value(), "what a node sends can be read");
        if (!filter(envelope->message)) {
            return;
        }
    }
    const int copies = dice_.below(1000) < network_.doubled_per_mille ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        const MonoTime at = now_ + within(network_.delay_min, network_.delay_max);
        schedule(at, {Event::Kind::message, *host, 0, env::TimerKey(), at, bytes});
    }
}

// ---- clients

std::uint64_t Cluster::next_ticket() {
    return ++tickets_;
}

std::uint64_t Cluster::propose(std::size_t host, std::size_t bytes) {
    const std::uint64_t id = next_ticket();
    std::string command;
    append_big_endian(command, id);
    command.resize(std::max<std::size_t>(bytes, 8), 'x');
    oracle_.on_proposed(id);
    hosts_[host]->life->node->propose(Ticket(id), std::move(command));
    return id;
}

std::uint64_t Cluster::read(std::size_t host) {
    const std::uint64_t id = next_ticket();
    reads_[id] = oracle_.read_floor();
    hosts_[host]->life->node->read_barrier(Ticket(id));
    return id;
}

std::uint64_t Cluster::change(std::size_t host, const Membership& wanted) {
    const std::uint64_t id = next_ticket();
    others_.insert(id);
    hosts_[host]->life->node->change(Ticket(id), wanted);
    return id;
}

std::uint64_t Cluster::transfer(std::size_t host, std::size_t to) {
    const std::uint64_t id = next_ticket();
    others_.insert(id);
    hosts_[host]->life->node->transfer(Ticket(id), id_of(to));
    return id;
}

std::uint64_t Cluster::stop(std::size_t host) {
    const std::uint64_t id = next_ticket();
    others_.insert(id);
    hosts_[host]->life->node->stop(Ticket(id));
    return id;
}

void Cluster::say_gone(std::size_t host, std::size_t other) {
    hosts_[host]->life->node->on_peer_gone(id_of(other));
}

const Cluster::Answer* Cluster::answer(std::uint64_t ticket) const {
    const auto found = answers_.find(ticket);
    return found == answers_.end() ? nullptr : &found->second;
}

// ---- what there is

bool Cluster::up(std::size_t host) const {
    return hosts_[host]->life != nullptr;
}

bool Cluster::paused(std::size_t host) const {
    return hosts_[host]->paused;
}

const RaftNode& Cluster::node(std::size_t host) const {
    CHECK(up(host));
    return *hosts_[host]->life->node;
}

namespace {

class OneMetric final : public MetricsWriter {
public:
    explicit OneMetric(std::string_view name) : name_(name) {}

    void counter(std::string_view name, std::string_view /*help*/, std::uint64_t number,
                 MetricLabels /*labels*/) override {
        take(name, static_cast<std::int64_t>(number));
    }
    void gauge(std::string_view name, std::string_view /*help*/, std::int64_t number,
               MetricLabels /*labels*/) override {
        take(name, number);
    }
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}

    std::optional<std::int64_t> value;

private:
    void take(std::string_view name, std::int64_t number) {
        if (name == name_) {
            value = number;
        }
    }

    std::string_view name_;
};

}  // namespace

std::int64_t Cluster::metric(std::size_t host, std::string_view name) const {
    OneMetric metric(name);
    node(host).write_metrics(metric);
    CHECK_BECAUSE(metric.value.has_value(), "no such metric");
    return *metric.value;
}

const std::optional<Error>& Cluster::start_error(std::size_t host) const {
    return hosts_[host]->start_error;
}

std::size_t Cluster::applied_commands(std::size_t host) const {
    return up(host) ? hosts_[host]->life->ids.size() : 0;
}

std::optional<std::size_t> Cluster::leader() const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (up(i) && hosts_[i]->life->leads &&
            (!best || node(i).core().term() > node(*best).core().term())) {
            best = i;
        }
    }
    return best;
}

bool Cluster::converged() const {
    const auto lead = leader();
    if (!lead) {
        return false;
    }
    const RaftCore& core = node(*lead).core();
    const Membership& members = core.log().membership();
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (is_member(members, id_of(i)) &&
            (!up(i) || hosts_[i]->paused || hosts_[i]->life->ids != oracle_.order() ||
             node(i).core().applied() != core.log().last() || node(i).core().hard_state().doubt)) {
            return false;
        }
    }
    return true;
}

}  // namespace muster::raft::swarm
