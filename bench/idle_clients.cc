#include "idle_clients.h"

#include <algorithm>

#include <fmt/format.h>

#include "client_frames.h"
#include "process.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::bench {
namespace {

constexpr std::size_t kBatch = 500;
// A server closes who says nothing for 15 s.
constexpr auto kBeat = std::chrono::seconds(5);

}  // namespace

IdleClients::IdleClients() : keeper_([this](const std::stop_token& stop) { keep_alive(stop); }) {}

IdleClients::~IdleClients() {
    keeper_.request_stop();
    keeper_.join();
}

std::string IdleClients::service(std::size_t number, std::size_t per_service) {
    return fmt::format("com.example.bench.Idle{}x{}", number / per_service, per_service);
}

void IdleClients::connect(const std::vector<Node*>& sessions, std::size_t connections) {
    const std::lock_guard hold(mutex_);
    // The first word that is no heartbeat is what makes a client of a connection.
    const std::string nothing =
        native_frame(msg::UnregisterPublishers{.request = msg::RequestId(1), .items = {}});
    for (std::size_t i = 0; i < connections; ++i) {
        auto& connection = connections_.emplace_back(
            std::make_unique<Connection>(sessions[i % sessions.size()]->client_port));
        connection->send(nothing);
        static_cast<void>(connection->next_frame());
    }
}

void IdleClients::publish(std::size_t publications, std::size_t per_service) {
    for (std::size_t done = 0; done < publications;) {
        const std::lock_guard hold(mutex_);
        if (now() - beaten_ >= kBeat) {
            beat();  // the keeper may not get the lock between two batches
        }
        Connection& connection = *connections_[batches_++ % connections_.size()];
        msg::RegisterPublishers request{.request = msg::RequestId(batches_)};
        for (std::size_t i = std::min(kBatch, publications - done); i > 0; --i, ++done) {
            const std::size_t number = published_++;
            request.publications.push_back(publication(
                {.data_id = service(number, per_service)},
                fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", number), 1,
                fmt::format("10.1.{}.{}:12200?weight=50", number / 250 % 250, number % 250)));
        }
        connection.send(native_frame(request));
        while (true) {
            const bolt::Frame frame = connection.next_frame();
            if (frame.head.is_response() && !frame.head.is_heartbeat()) {
                break;
            }
        }
    }
}

void IdleClients::keep_alive(const std::stop_token& stop) {
    std::unique_lock hold(mutex_);
    while (!stop.stop_requested()) {
        beat();
        wake_.wait_for(hold, stop, kBeat, [] { return false; });
    }
}

void IdleClients::beat() {
    beaten_ = now();
    const bolt::FrameHead native{.codec = bolt::kCodecProtobuf};
    std::string heartbeat;
    bolt::append_heartbeat(heartbeat, native, 1);
    for (const auto& connection : connections_) {
        connection->drain([](const bolt::Frame&) {});
        connection->send(heartbeat);
    }
}

}  // namespace muster::bench
