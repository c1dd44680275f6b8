#include "sim/deltas/delta_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "model/publication.h"
#include "roles/client/apply_push.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSessions = 2;
constexpr std::size_t kSubscribers = 5;
constexpr Duration kPatience = seconds(120);
constexpr Duration kLook = milliseconds(50);
// After everything is equal nothing may change any more.
constexpr Duration kCalm = milliseconds(500);

// Names a client zone by its number.
std::string zone_of(std::size_t number) {
    return number % 2 == 0 ? "zone-a" : "zone-b";
}

// Where no publisher may come back, none is sent to another session either.
RegistryOptions registry_options(const DeltaRunOptions& options) {
    RegistryOptions registry{.sessions = kSessions, .brake = false, .requests_at_once = 64};
    registry.balance.enabled = options.publishers_return;
    return registry;
}

// Sums counters by name.
class Counts final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view /*help*/, std::uint64_t value,
                 MetricLabels /*labels*/) override {
        values[std::string(name)] += value;
    }
    void gauge(std::string_view /*name*/, std::string_view /*help*/, std::int64_t /*value*/,
               MetricLabels /*labels*/) override {}
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}

    std::map<std::string, std::uint64_t> values;
};

}  // namespace

void DeltaOutcome::add(const DeltaOutcome& other) {
    changes += other.changes;
    settled += other.settled;
    views_compared += other.views_compared;
    lists_shown += other.lists_shown;
    deltas += other.deltas;
    wholes += other.wholes;
    long_wholes += other.long_wholes;
    packed += other.packed;
    bytes += other.bytes;
    connections_broken += other.connections_broken;
    bytes_lost += other.bytes_lost;
    connects += other.connects;
    digest_mismatches += other.digest_mismatches;
    unfit += other.unfit;
    bad_messages += other.bad_messages;
}

std::string DeltaOutcome::lacking() const {
    if (deltas < changes / 2) {
        return fmt::format("only {} deltas were told of {} changes", deltas, changes);
    }
    if (wholes < changes / 20 || long_wholes < changes / 500) {
        return fmt::format("only {} whole lists were told of {} changes, {} of them long", wholes,
                           changes, long_wholes);
    }
    if (packed < changes / 5000 || connections_broken < changes / 2000) {
        return fmt::format("only {} pushes were packed, {} connections broken in {} changes",
                           packed, connections_broken, changes);
    }
    return {};
}

std::string DeltaOutcome::text() const {
    return fmt::format(
        "{} changes, {} settled points, {} views compared, {} lists shown; {} deltas and {} whole "
        "lists told ({} long, {} packed, {} bytes); {} connections broken with {} bytes, {} "
        "connects; {} digests differed, {} deltas did not fit, {} messages were bad",
        changes, settled, views_compared, lists_shown, deltas, wholes, long_wholes, packed, bytes,
        connections_broken, bytes_lost, connects, digest_mismatches, unfit, bad_messages);
}

// What stands before one session.
struct DeltaRun::Front {
    Front(Node& node, ByteNet& net)
        : timers(node.process()),
          door({}, *node.session(), {}),
          port({}, net, node.process().clock(), timers, {}) {
        timers.attach(port);
        port.serve(bolt::kCodecProtobuf, door);
        CHECK(
            port.listen(env::parse_socket_address(node.plan().client_address).value()).has_value());
    }

    ProcessTimers timers;
    doors::NativeDoor door;
    doors::BoltPort port;
};

DeltaRun::DeltaRun(const DeltaRunOptions& options)
    : options_(options),
      prng_(options.seed),
      network_(scheduler_, trace_, Prng(prng_.next()), cuts_),
      links_(scheduler_, Prng(prng_.next()), cuts_),
      pipes_(scheduler_, trace_, Prng(prng_.next()), cuts_),
      registry_(registry_options(options), {scheduler_, trace_, network_, links_, pipes_},
                Prng(prng_.next())),
      net_(scheduler_, Prng(prng_.next())),
      book_({1, 4, 20, 60, 150, 300, 600}) {
    trace_.silence();
}

DeltaRun::~DeltaRun() = default;

void DeltaRun::fail(std::string why) {
    if (outcome_.failure.empty()) {
        outcome_.failure = std::move(why);
    }
}

void DeltaRun::pass(Duration how_long) {
    scheduler_.run_until(scheduler_.now() + how_long, [] { return false; });
}

DeltaOutcome DeltaRun::run() {
    start();
    fill();
    settle();
    while (outcome_.failure.empty() && outcome_.changes < options_.changes) {
        storm();
        settle();
    }
    sum_up();
    return outcome_;
}

void DeltaRun::start() {
    registry_.start_all();
    const MonoTime end = scheduler_.now() + kPatience;
    const auto ready = [&] {
        return std::ranges::all_of(registry_.nodes(Role::session),
                                   [](Node* node) { return node->session()->status().ready; });
    };
    while (!ready() && scheduler_.now() < end) {
        pass(kLook);
    }
    if (!ready()) {
        fail("the registry is not ready after two minutes");
        return;
    }
    for (Node* node : registry_.nodes(Role::session)) {
        fronts_.push_back(std::make_unique<Front>(*node, net_));
    }
    add_clients();
}

void DeltaRun::add_clients() {
    std::vector<std::string> servers;
    for (Node* node : registry_.nodes(Role::session)) {
        servers.push_back(node->plan().client_address);
    }
    const auto make = [&](std::string name, std::size_t number, ByteClient::OnList on_list) {
        return std::make_unique<ByteClient>(ByteClient::Setup{.scheduler = scheduler_,
                                                              .trace = trace_,
                                                              .net = net_,
                                                              .prng = Prng(prng_.next()),
                                                              .name = std::move(name),
                                                              .zone = zone_of(number),
                                                              .servers = servers},
                                            std::move(on_list));
    };
    for (std::size_t i = 0; i < kPublishers; ++i) {
        publishers_.push_back(make(fmt::format("publisher-{}", i + 1), i,
                                   [](const client::ListKey&, const ServiceView&) {}));
    }
    versions_.resize(kSubscribers);
    subscribed_.resize(kSubscribers);
    for (std::size_t i = 0; i < kSubscribers; ++i) {
        subscribers_.push_back(make(fmt::format("subscriber-{}", i + 1), i,
                                    [this, i](const client::ListKey& key, const ServiceView& view) {
                                        on_list(i, key, view);
                                    }));
        for (const auto& service : book_.services()) {
            const Scope scope = prng_.chance(1, 3) ? Scope::zone : Scope::data_center;
            const client::ListKey key{
                .service = service.service, .scope = scope, .zone = zone_of(i)};
            CHECK(subscribers_[i]->role().subscribe(key).has_value());
            subscribed_[i].push_back(key);
        }
    }
}

void DeltaRun::fill() {
    for (auto& service : book_.services()) {
        while (service.entries.size() < service.usual_size) {
            publish(service);
        }
    }
}

// ---- what is shown

void DeltaRun::on_list(std::size_t client, const client::ListKey& key, const ServiceView& view) {
    ++outcome_.lists_shown;
    Version& held = versions_[client][key];
    if (view.version < held) {
        fail(fmt::format("{} is shown {} at version {} after {}", subscribers_[client]->name(),
                         key.service.data_id, view.version.raw(), held.raw()));
    }
    held = view.version;
    const std::string session = subscribers_[client]->role().status().server;
    if (std::string wrong = book_.note_shown(session, key, view); !wrong.empty()) {
        fail(std::move(wrong));
    }
}

// A new timestamp alone says that its client came again, which nobody is told.
bool DeltaRun::shows(const Publication& shown, const Book::Entry& entry) const {
    const auto now = publishers_[entry.publisher]->role().registration(entry.id);
    return shown.boxes.size() == 1 && *shown.boxes.begin() == entry.content &&
           now->order.version == shown.order.version;
}

std::string DeltaRun::differs(const ByteClient& subscriber, const client::ListKey& key) const {
    const ServiceViewPtr view = subscriber.role().list(key).view;
    const std::string& name = key.service.data_id;
    if (view == nullptr || !view->complete) {
        return fmt::format("{} was not told all of {}", subscriber.name(), name);
    }
    std::map<RegistId, const Book::Entry*> published;
    for (const Book::Entry& entry : book_.find(key.service).entries) {
        if (key.scope != Scope::zone || publishers_[entry.publisher]->zone() == key.zone) {
            published[entry.id] = &entry;
        }
    }
    for (const PublicationPtr& shown : view->publications) {
        const auto known = published.find(shown->id);
        if (known == published.end() || !shows(*shown, *known->second)) {
            return fmt::format("{} sees another state of {} of {} than is published",
                               subscriber.name(), shown->id.raw(), name);
        }
    }
    if (view->publications.size() != published.size()) {
        return fmt::format("{} sees {} of {}, published are {}", subscriber.name(),
                           view->publications.size(), name, published.size());
    }
    if (view->digest != client::digest_of_list(view->publications)) {
        return fmt::format("{} has another digest of {}", subscriber.name(), name);
    }
    return {};
}

std::string DeltaRun::differs() {
    for (const auto& publisher : publishers_) {
        const client::ClientStatus status = publisher->role().status();
        if (status.state != client::ClientState::connected || status.unacknowledged > 0) {
            return fmt::format("{} has {} states that nobody took", publisher->name(),
                               status.unacknowledged);
        }
    }
    std::uint64_t compared = 0;
    for (std::size_t i = 0; i < kSubscribers; ++i) {
        for (const client::ListKey& key : subscribed_[i]) {
            ++compared;
            if (std::string wrong = differs(*subscribers_[i], key); !wrong.empty()) {
                return wrong;
            }
        }
    }
    outcome_.views_compared += compared;
    return {};
}

void DeltaRun::settle() {
    if (!outcome_.failure.empty()) {
        return;
    }
    const MonoTime end = scheduler_.now() + kPatience;
    std::string wrong = differs();
    while (!wrong.empty() && scheduler_.now() < end) {
        pass(kLook);
        wrong = differs();
    }
    if (wrong.empty()) {
        pass(kCalm);
        wrong = differs();
    }
    if (!wrong.empty()) {
        fail(fmt::format("after {} changes and two minutes of calm {}", outcome_.changes, wrong));
        return;
    }
    ++outcome_.settled;
    book_.forget_versions();
}

void DeltaRun::sum_up() {
    Counts counts;
    for (const auto& subscriber : subscribers_) {
        const ByteClient::Told& told = subscriber->told();
        outcome_.deltas += told.deltas;
        outcome_.wholes += told.wholes;
        outcome_.long_wholes += told.long_wholes;
        outcome_.packed += told.packed;
        outcome_.bytes += told.bytes;
        outcome_.bad_messages += told.bad_messages;
        outcome_.connects += told.connects;
        subscriber->role().write_metrics(counts);
    }
    for (const auto& publisher : publishers_) {
        outcome_.bad_messages += publisher->told().bad_messages;
        outcome_.connects += publisher->told().connects;
    }
    outcome_.digest_mismatches = counts.values["muster_client_digest_mismatches_total"];
    outcome_.unfit = counts.values["muster_client_pushes_unfit_total"];
    outcome_.bytes_lost = net_.bytes_lost();
    outcome_.hash = book_.hash();
    const std::uint64_t unfit_max = options_.publishers_return ? outcome_.deltas / 100 : 0;
    if (outcome_.digest_mismatches > unfit_max || outcome_.unfit > unfit_max) {
        fail(fmt::format("{} of {} deltas did not fit, {} for their digest", outcome_.unfit,
                         outcome_.deltas, outcome_.digest_mismatches));
    }
    for (Node* node : registry_.nodes(Role::session)) {
        if (const auto differed = node->session()->status().copies_differed; differed > 0) {
            fail(fmt::format("{} folded {} lists that were not what their leader has",
                             node->plan().id.raw(), differed));
        }
    }
    if (outcome_.bad_messages > 0) {
        fail(fmt::format("clients could not read {} messages", outcome_.bad_messages));
    }
}

DeltaOutcome run_deltas(std::uint64_t seed) {
    return DeltaRun({.seed = seed, .publishers_return = seed % 2 == 1}).run();
}

}  // namespace muster::sim
