#include "sim/fan_out/fan_out.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(60);
constexpr Duration kLook = milliseconds(1);
constexpr std::uint64_t kPublisher = 1;
constexpr std::uint64_t kFirstNative = 100;
constexpr std::uint64_t kFirstJava = 100'000;

// As long as ids of SOFA clients are.
RegistId id_of(std::uint64_t number) {
    return RegistId(fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", number));
}

// Takes the value of one counter.
class CounterReader final : public MetricsWriter {
public:
    explicit CounterReader(std::string_view wanted) : wanted_(wanted) {}

    void counter(std::string_view name, std::string_view /*help*/, std::uint64_t value,
                 MetricLabels /*labels*/) override {
        read = name == wanted_ ? value : read;
    }
    void gauge(std::string_view /*name*/, std::string_view /*help*/, std::int64_t /*value*/,
               MetricLabels /*labels*/) override {}
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}

    std::uint64_t read = 0;

private:
    std::string_view wanted_;
};

}  // namespace

void CountingPort::send(env::ConnId /*conn*/, std::string /*frames*/) {}

void CountingPort::send(env::ConnId /*conn*/, std::string head, SharedBytes body,
                        std::string tail) {
    if (sent_.pushes++ == 0) {
        first_ = head + *body + tail;
    }
    sent_.own_bytes += head.size() + tail.size();
    sent_.total_bytes += head.size() + body->size() + tail.size();
    if (std::ranges::find(bodies_, body) == bodies_.end()) {
        bodies_.push_back(std::move(body));
    }
}

void CountingPort::forget() {
    sent_ = {};
    bodies_.clear();
    first_.clear();
}

FanOut::FanOut(const FanOutSize& size)
    : size_(size),
      network_(scheduler_, trace_, Prng(1), cuts_),
      links_(scheduler_, Prng(2), cuts_),
      pipes_(scheduler_, trace_, Prng(3), cuts_),
      registry_({.embedded = true, .requests_at_once = 10'000, .updates_at_once = 10'000},
                {scheduler_, trace_, network_, links_, pipes_}, Prng(4)),
      service_(interned({.data_id = "com.example.Orders"})),
      states_(size.publications) {
    CHECK_BECAUSE(size.native > 0, "one of them is asked what was told");
    trace_.silence();
    registry_.start_all();
    const MonoTime end = scheduler_.now() + kPatience;
    while (!session().status().ready) {
        CHECK(scheduler_.now() < end);
        scheduler_.run_until(scheduler_.now() + kLook, [] { return false; });
    }
    native_ = std::make_unique<doors::NativeDoor>(doors::NativeDoorOptions{}, session(), Log{});
    java_ = std::make_unique<doors::BoltDoor>(doors::BoltDoorOptions{}, session(), Log{});
    open_all();
    CHECK_BECAUSE(run_until_told(), "every subscriber is told the list once");
    acknowledge();
}

void FanOut::say(env::ConnId conn, const msg::ClientMessage& message) {
    native_->on_frame(conn, {.head = {.type = bolt::FrameType::request,
                                      .request_id = static_cast<std::int32_t>(++requests_),
                                      .codec = bolt::kCodecProtobuf},
                             .class_name = native::class_name(message),
                             .content = native::encode(message)});
}

void FanOut::publish(std::size_t first, std::size_t count) {
    msg::RegisterPublishers request{.request = msg::RequestId(requests_)};
    for (std::size_t number = first; number < first + count; ++number) {
        Publication made{.id = id_of(number),
                         .service = service_,
                         .order = {.version = ++states_[number], .timestamp_ms = 1},
                         .app = "orders-service"};
        made.boxes = {fmt::format("10.1.{}.{}:12200?weight=100&state={:06}", number / 250,
                                  number % 250, states_[number])};
        request.publications.push_back(std::make_shared<const Publication>(std::move(made)));
    }
    say(env::ConnId(kPublisher), request);
}

void FanOut::open_all() {
    native_->on_open(env::ConnId(kPublisher), {.ip = "10.0.0.1", .port = 1}, native_port_);
    publish(0, size_.publications);
    const auto subscribe = [&](std::uint64_t conn) {
        return msg::Subscribe{.request = msg::RequestId(requests_),
                              .items = {{.subscription = {.id = id_of(conn),
                                                          .service = service_,
                                                          .order = {.version = 1},
                                                          .scope = Scope::data_center}}}};
    };
    for (std::uint64_t conn = kFirstNative; conn < kFirstNative + size_.native; ++conn) {
        native_->on_open(env::ConnId(conn), {.ip = "10.0.0.2", .port = 1}, native_port_);
        say(env::ConnId(conn), subscribe(conn));
    }
    for (std::uint64_t conn = kFirstJava; conn < kFirstJava + size_.java; ++conn) {
        java_->on_open(env::ConnId(conn), {.ip = "10.0.0.3", .port = 1}, java_port_);
        session().on_client_message(env::ConnId(conn), subscribe(conn));
    }
}

bool FanOut::run_until_told() {
    const auto told = [&] {
        return native_port_.sent().pushes == size_.native && java_port_.sent().pushes == size_.java;
    };
    scheduler_.run_until(scheduler_.now() + kPatience, told);
    return told();
}

void FanOut::acknowledge() {
    const auto decoded = bolt::decode_frame(native_port_.first(), {});
    CHECK(decoded.outcome == bolt::Decode::message);
    const auto message = native::decode_server_message(
        decoded.frame.class_name, decoded.frame.content, native::client_codec_limits());
    CHECK(message.has_value());
    const auto& push = std::get<msg::Push>(*message);
    const msg::PushAck ack{.service = service_,
                           .scope = push.scope,
                           .zone = push.zone,
                           .version = push.view->version,
                           .ok = true};
    for (std::uint64_t i = 0; i < size_.native; ++i) {
        session().on_client_message(env::ConnId(kFirstNative + i), ack);
    }
    for (std::uint64_t i = 0; i < size_.java; ++i) {
        session().on_client_message(env::ConnId(kFirstJava + i), ack);
    }
}

std::uint64_t FanOut::java_encoded() const {
    CounterReader reader("muster_bolt_views_encoded_total");
    java_->write_metrics(reader);
    return reader.read;
}

bool FanOut::change() {
    native_port_.forget();
    java_port_.forget();
    publish(size_.publications / 2, 1);
    return run_until_told();
}

}  // namespace muster::sim
